#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Snapshots while a LUN is written: what was acknowledged before is in the snapshot,
# what began after it is not, and nothing is lost on the LUN.  A clone and its base do
# not see each other's writes.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"

sheep_start --reorder 5
sheep_vdi disk 32M --shift 20
tgtd_start --reactors 2
sheep_lun "$vdi"

# Each block of 4 KiB has a writer's count in it; there are 2 objects in which all
# is new, time and again.
python "$(url 1)" "$SRC/tests/lib/sheep.py" "$sheep_tool" "$vdi" "$dir" <<'END'
import random, threading
url, tool, cluster, vdi, where = sys.argv[1:]
BLOCK, BLOCKS, SNAPSHOTS = 4096, 8192, 6
rng = random.Random(6)
submitted, done = [0] * BLOCKS, [0] * BLOCKS
mutex = threading.Lock()
ends = threading.Event()

def content(block, count):
    return (block.to_bytes(4, "little") + count.to_bytes(4, "little")) * (BLOCK // 8)

def write(session, mine):
    """Many in flight, never two on a block."""
    flying = {}
    while not ends.is_set() or flying:
        while len(flying) < 16 and not ends.is_set():
            block = rng.choice(mine)
            if block in flying:
                continue
            with mutex:
                submitted[block] += 1
                count = submitted[block]
            flying[block] = count, session.submit(write16(block * 8, 8),
                                                  write=content(block, count))
        for block, (count, p) in list(flying.items()):
            a = p.wait(60)
            if not a.good:
                failures.append(f"write of block {block}: {a}")
                ends.set()
            with mutex:
                done[block] = count
            del flying[block]

failures = []
sessions = [Session(url) for _ in range(3)]
for s in sessions:
    s.ready()
threads = [threading.Thread(target=write, args=(s, range(i, BLOCKS, 3)))
           for i, s in enumerate(sessions)]
for t in threads:
    t.start()
bounds = []
for n in range(SNAPSHOTS):
    target = sum(done) + 300
    while sum(done) < target and not ends.is_set():
        time.sleep(0.01)
    with mutex:
        least = list(done)
    subprocess.run([tool, cluster, "snapshot", vdi, f"tag{n}"], check=True,
                   stdout=subprocess.DEVNULL)
    with mutex:
        most = list(submitted)
    bounds.append((least, most))
target = sum(done) + 300
while sum(done) < target and not ends.is_set():
    time.sleep(0.01)
ends.set()
for t in threads:
    t.join()
check(not failures, *failures)

def compare(what, data, least, most):
    for block in range(BLOCKS):
        raw = data[block * BLOCK:(block + 1) * BLOCK]
        count = int.from_bytes(raw[4:8], "little")
        check(least[block] <= count <= most[block], what, "block", block, "has write", count,
              "and not", least[block], "to", most[block])
        check(raw == (content(block, count) if count else bytes(BLOCK)), what, "block", block,
              "is torn")

for n, (least, most) in enumerate(bounds):
    data = subprocess.run([tool, cluster, "export", f"{vdi}:tag{n}"], check=True,
                          capture_output=True).stdout
    compare(f"snapshot {n}", data, least, most)
data = subprocess.run([tool, cluster, "export", vdi], check=True, capture_output=True).stdout
compare("the VDI", data, done, done)
got = b"".join(sessions[0].read(lba, 2048) for lba in range(0, BLOCKS * 8, 2048))
check(got == data, "the LUN and the VDI differ")
for s in sessions:
    s.close()
with open(f"{where}/model", "wb") as f:
    f.write(data)
END
sheep export "$vdi:tag2" "$dir/tag2"

# Snapshots as LUNs are read-only.
lun_new "$tid" 2 "$sheep_address:$vdi:tag2" --bstype sheepdog
lun_new "$tid" 3 "$sheep_address:$vdi:3" --bstype sheepdog
for lun in 2 3; do
	qemu-img compare -f raw -F raw "$dir/tag2" "$(url $lun)"
	io_fails "$(url $lun)" "write 0 4k"
done
# A clone of one: written all over.
sheep clone "$vdi:tag2" "$vdi-clone" >/dev/null
lun_new "$tid" 4 "$sheep_address:$vdi-clone" --bstype sheepdog
qemu-img compare -f raw -F raw "$dir/tag2" "$(url 4)"
head -c 32M /dev/urandom >"$dir/clone"
cp "$dir/tag2" "$dir/partly"
for at in 1 5 6 17; do
	dd if="$dir/clone" of="$dir/partly" bs=1000448 skip=$at seek=$at count=1 conv=notrunc status=none
	dd if="$dir/clone" bs=1000448 skip=$at count=1 status=none >"$dir/piece"
	io "$(url 4)" "write -q -s $dir/piece $((at * 1000448)) 1000448"
done
sheep compare "$vdi-clone" "$dir/partly"
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/clone" "$(url 4)"
sheep compare "$vdi-clone" "$dir/clone"
sheep compare "$vdi:tag2" "$dir/tag2"
sheep compare "$vdi" "$dir/model"
