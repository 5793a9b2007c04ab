#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two gateways of one cluster, over IPv4 and IPv6: the one in use goes down while the
# disk is written, also after it hung, and the other one takes over; then the other way
# round.  One that hangs for a moment goes on; with failover=eager the other one takes
# over at once.  Nothing fails, nothing is lost.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'gateways go down'
sheep_need_module

ways=(--listen tcp:127.0.0.1:0 --listen 'tcp:[::1]:0,node=2')

# fails_over VDI OPTION - the whole of it.
fails_over()
{
	local addresses

	addresses=$(sheep_tcp 1),$(sheep_tcp 2)
	addresses=tcp:${addresses//tcp:/}
	sheep_vdi "$1" 64M --shift 20
	tgtd_start --reactors 2
	target_new
	lun_new "$tid" 1 "$addresses:$vdi" --bstype sheepdog --bsopts "timeout=12;$2"
	acl_bind "$tid" ALL

	python "$(url 1)" "$sheep_dir/control" "$dir/model" "$SRC/tests/lib" "$2" <<'END'
import random, threading
url, path, model, lib, options = sys.argv[1:]
sys.path.insert(0, lib)
import sheep
BLOCK, BLOCKS = 8192, 8192
rng = random.Random(2)
done = [0] * BLOCKS
ends = threading.Event()
failures = []

def content(block, count):
    return (block.to_bytes(4, "little") + count.to_bytes(4, "little")) * (BLOCK // 8) \
        if count else bytes(BLOCK)

def write(mine):
    with Session(url) as s:
        s.ready()
        flying = {}
        while not ends.is_set() or flying:
            while len(flying) < 8 and not ends.is_set():
                block = rng.choice(mine)
                if block not in flying:
                    flying[block] = s.submit(write16(block * 16, 16),
                                             write=content(block, done[block] + 1))
            for block, p in list(flying.items()):
                a = p.wait(120)
                if not a.good:
                    failures.append(f"write of block {block}: {a}")
                    ends.set()
                done[block] += 1
                del flying[block]
                if a.good and rng.random() < 0.1 and s.read(block * 16, 16) != content(block, done[block]):
                    failures.append(f"block {block} is not what was written")
                    ends.set()

def writes_go_on(n):
    target = sum(done) + n
    deadline = time.monotonic() + 120
    while sum(done) < target and not ends.is_set():
        check(time.monotonic() < deadline, "no writes are done any more")
        time.sleep(0.01)

threads = [threading.Thread(target=write, args=(range(i, BLOCKS, 3),)) for i in range(3)]
for t in threads:
    t.start()
writes_go_on(200)
def gateway(node, how):
    sheep.control(path, f"gateway {node} {how}")

for node in 1, 2, 1, 2:
    gateway(node, "down")
    writes_go_on(200)
    gateway(node, "up")
    writes_go_on(50)
for node in 1, 2, 1, 2:
    gateway(node, "hang")
    gateway(node, "resume")
    writes_go_on(50)
for node in 1, 2, 1:
    gateway(node, "hang")
    if "failover=eager" in options:
        # It must not go on then: nothing calls back what it was asked to do.
        writes_go_on(200)
    gateway(node, "down")
    writes_go_on(50)
    gateway(node, "up")
    writes_go_on(50)
ends.set()
for t in threads:
    t.join()
check(not failures, *failures)
with open(model, "wb") as f:
    for block in range(BLOCKS):
        f.write(content(block, done[block]))
END
	sheep compare "$vdi" "$dir/model"
	qemu-img compare -f raw -F raw "$dir/model" "$(url 1)"
	tgtd_stop
}

sheep_start "${ways[@]}"
fails_over plain lock=none
sheep_kill
sheep_again "${ways[@]}"
fails_over eager 'lock=none;failover=eager'
sheep_kill
sheep_again --reorder 9 "${ways[@]}"
fails_over shuffled lock=none
sheep_kill
sheep_again --locks "${ways[@]}"
fails_over locked lock=exclusive
expect 'locks at the end' '' "$(sheep_control locks)"
