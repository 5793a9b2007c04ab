#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two gateways, of which the one in use hangs and goes on later.  What it was sent it
# does then, so nothing newer may have been written there through the other one: writes
# wait, their time ends with sense data, and what was written since survives.  Reads go
# on through the other one; and so do writes once the first one's process has ended.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'gateways hang'
sheep_need_module

sheep_start --listen tcp:127.0.0.1:0 --listen tcp:127.0.0.1:0,node=2
addresses=$(sheep_tcp 1),$(sheep_tcp 2)
addresses=tcp:${addresses//tcp:/}
sheep_vdi disk 64M --shift 20
tgtd_start --reactors 2
target_new
lun_new "$tid" 1 "$addresses:$vdi" --bstype sheepdog --bsopts 'timeout=4;lock=none'
acl_bind "$tid" ALL

python "$(url 1)" "$sheep_dir/control" "$dir/model" "$SRC/tests/lib" <<'END'
url, path, model_path, lib = sys.argv[1:]
sys.path.insert(0, lib)
import sheep
MIB, QUICK = 2048, 20                   # blocks; seconds, not for ever

def gateway(node, how):
    sheep.control(path, f"gateway {node} {how}")

def ends_in_time(p):
    a = p.wait(60)
    check(a.status == CHECK_CONDITION and a.key != UNIT_ATTENTION,
          "a write that the gateway may do yet:", a)

def until_good(s, lba, data):
    deadline = time.monotonic() + 60
    while not s.command(write16(lba, len(data) // 512), write=data).good:
        check(time.monotonic() < deadline, "it does not come back")

sessions = [Session(url) for _ in range(4)]     # on both reactors
for s in sessions:
    s.ready()
model = bytearray(b"\1" * (64 << 20))
for i in range(64):
    sessions[0].write(MIB * i, b"\1" * (1 << 20))

# Small writes: older ones that time out, then newer ones from elsewhere.
gateway(1, "hang")
old = [s.submit(write16(MIB * i + 8 * j, 8), write=b"\2" * 4096)
       for i, s in enumerate(sessions) for j in range(8)]
for p in old:
    ends_in_time(p)
start = time.monotonic()
hung = sessions[3].submit(write16(40 * MIB, 8), write=b"\1" * 4096)
sessions[3].abort(hung).wait()
check(time.monotonic() - start < QUICK, "ABORT TASK hangs, too")
new = [(s, MIB * i + 8 * j) for i, s in enumerate(sessions[1:] + sessions[:1]) for j in range(8)]
flying = [s.submit(write16(lba, 8), write=b"\3" * 4096) for s, lba in new]
gateway(1, "resume")
for p, (s, lba) in zip(flying, new):
    if not p.wait(60).good:
        until_good(s, lba, b"\3" * 4096)
    model[512 * lba:512 * (lba + 8)] = b"\3" * 4096
for s, lba in new:
    check(s.read(lba, 8) == b"\3" * 4096, "older data are back on block", lba)

# More than the socket holds: what has left in part is completed, with the same data.
gateway(1, "hang")
old = [s.submit(write16(MIB * (8 * i + j + 8), MIB), write=bytes([16 * i + j + 32]) * (1 << 20))
       for i, s in enumerate(sessions) for j in range(4)]
for p in old:
    ends_in_time(p)
gateway(1, "resume")
for i, s in enumerate(sessions):
    for j in range(4):
        at = 8 * i + j + 8
        until_good(s, MIB * at + 100, b"\4" * 512)
        got = s.read(MIB * at, MIB)
        check(got[51200:51712] == b"\4" * 512, "older data are back in MiB", at)
        rest = set(got[:51200] + got[51712:])
        check(rest <= {1, 16 * i + j + 32}, "MiB", at, "has what nobody wrote:", rest)
        model[at << 20:(at + 1) << 20] = got

# Its process ends: then it does nothing later.
gateway(1, "hang")
last = [s.submit(write16(MIB * (50 + i), 8), write=b"\5" * 4096) for i, s in enumerate(sessions)]
gateway(1, "down")
for i, p in enumerate(last):
    check(p.wait(60).good, "a write that could go through the other one")
    model[(50 + i) << 20:((50 + i) << 20) + 4096] = b"\5" * 4096
gateway(1, "up")

# Reads wait for nobody: both reactors use the second one now.
gateway(2, "hang")
reads = [s.submit(read16(MIB * 3, 8), read=4096) for s in sessions]
for p in reads:
    check(p.wait(60).good, "a read that could go through the other one")
sessions[0].write(60 * MIB, b"\6" * 512)
model[60 << 20:(60 << 20) + 512] = b"\6" * 512
gateway(2, "resume")
with open(model_path, "wb") as f:
    f.write(model)
END
sheep compare "$vdi" "$dir/model"
qemu-img compare -f raw -F raw "$dir/model" "$(url 1)"
