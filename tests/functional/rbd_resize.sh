#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An image grows and shrinks while it is used: initiators are told, and nobody has to
# tell the daemon.  Nothing is read or written past its end, and nothing of no length.
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_disk 64M

cat >"$dir/resize.py" <<'END'
import subprocess, sys, time
from libiscsi import *

conf = sys.argv[2]
MIB = 2048      # blocks
s = Session(sys.argv[1]).ready()

def resize(mib, *more):
    subprocess.run(["rbd", "-c", conf, "--id", "tgt", "resize", "--no-progress",
                    "--size", f"{mib}M", "disk", *more], check=True)

def told():
    """The unit attention comes by itself, once."""
    for _ in range(400):
        a = s.command(bytes(6))
        if not a.good:
            check(a.is_sense(6, 0x2A09), a)
            break
        time.sleep(0.05)
    else:
        check(False, "nobody told us")
    check(s.command(bytes(6)).good)

def last_lba():
    d = s.ok(s.command(bytes([0x9E, 0x10]) + bytes(11) + bytes([32, 0, 0]), 32)).data
    return int.from_bytes(d[:8], "big")

check(last_lba() == 64 * MIB - 1)
s.write(64 * MIB - 8, b"a" * 4096)
check(s.command(write16(64 * MIB - 4, 8), write=bytes(4096)).is_sense(5, 0x2100))

resize(96)
told()
check(last_lba() == 96 * MIB - 1)
s.write(96 * MIB - 8, b"b" * 4096)
check(s.read(96 * MIB - 8, 8) == b"b" * 4096)

# Nothing of no length reaches librbd, which would abort.
for opcode, group in ((0x28, 10), (0x2A, 10), (0x88, 16), (0x8A, 16), (0xA8, 12), (0xAA, 12),
                      (0x2F, 10), (0x8F, 16), (0x2E, 10), (0x89, 16), (0x8B, 16)):
    s.ok(s.command(bytes([opcode]) + bytes(group - 1)))
    end = (96 * MIB).to_bytes(8 if group == 16 else 4, "big")
    a = s.command((bytes([opcode, 0]) + end).ljust(group, b"\0"))
    check(a.good or a.is_sense(5, 0x2100), hex(opcode), a)

resize(32, "--allow-shrink")
told()
check(last_lba() == 32 * MIB - 1)
for cdb, kw in ((read16(32 * MIB, 8), {"read": 4096}), (read16(32 * MIB - 4, 8), {"read": 4096}),
                (write16(32 * MIB - 4, 8), {"write": bytes(4096)}),
                (write16(96 * MIB - 8, 8), {"write": bytes(4096)})):
    a = s.command(cdb, **kw)
    check(a.is_sense(5, 0x2100), a)
s.write(32 * MIB - 8, b"c" * 4096)

# What was cut off is zeroes when it is there again.
resize(64)
told()
check(s.read(64 * MIB - 8, 8) == bytes(4096))
check(s.read(32 * MIB - 8, 8) == b"c" * 4096)
s.close()
END
python3 "$dir/resize.py" "$(url 1)" "$ceph_conf"

note "an image that shrinks under commands: none succeeds past its end"
cat >"$dir/race.py" <<'END'
import subprocess, sys
from libiscsi import *

conf = sys.argv[2]
s = Session(sys.argv[1]).ready()
END_LBA = 64 * 2048
for _ in range(5):
    p = subprocess.Popen(["rbd", "-c", conf, "--id", "tgt", "resize", "--no-progress",
                          "--size", "48M", "disk", "--allow-shrink"])
    while p.poll() is None:
        s.command(write16(END_LBA - 64, 64), write=b"x" * 32768)
        s.command(read16(END_LBA - 64, 64), 32768)
    check(p.returncode == 0)
    while True:
        a = s.command(write16(END_LBA - 64, 64), write=b"y" * 32768)
        if a.is_sense(5, 0x2100):
            break
        check(not a.good, "it was written past the end")
    subprocess.run(["rbd", "-c", conf, "--id", "tgt", "resize", "--no-progress", "--size", "64M",
                    "disk"], check=True)
    while not s.command(bytes(6)).good or \
          s.command(read16(END_LBA - 64, 64), 32768).is_sense(5, 0x2100):
        pass
    got = s.read(END_LBA - 64, 64)
    check(got == bytes(32768), "what was cut off is there again")
s.close()
END
python3 "$dir/race.py" "$(url 1)" "$ceph_conf"

note 'many images at once, which share the threads of a connection'
pids=()
for ((n = 2; n <= 9; n++)); do
	rbd create --size 16M "many$n"
	lun_new "$tid" "$n" "many$n"
done
for ((n = 2; n <= 9; n++)); do
	for size in 32M 48M 64M; do
		rbd resize --no-progress --size "$size" "many$n"
	done &
	pids+=($!)
done
wait "${pids[@]}"
has_grown()
{
	[ "$(show target | grep -c 'Size: 67 MB')" -eq 9 ]
}
wait_for 20 has_grown || fail "$(show target)"
io "$(url 9)" 'write -P 9 60M 64k' 'read -P 9 60M 64k'
