#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A snapshot is a disk that nobody can write to; a clone reads its parent and keeps what is
# written; a removable disk goes from one snapshot to another while it is used.
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_disk 32M

io "$(url 1)" 'write -P 1 0 8M' 'flush'
rbd snap create --no-progress disk@monday
io "$(url 1)" 'write -P 2 0 4M' 'flush'
rbd snap create --no-progress disk@tuesday
io "$(url 1)" 'write -P 3 0 2M' 'flush'
rbd snap protect disk@monday
rbd clone disk@monday clone
rbd clone disk@monday reader

lun_new "$tid" 2 disk@monday --params removable=1
lun_new "$tid" 3 clone
lun_new "$tid" 4 reader --bsopts "$ceph_opts;override=rbd_clone_copy_on_read=true"

cat >"$dir/snapshots.py" <<'END'
import subprocess, sys, time
from libiscsi import *

base, tgtadm, tid, conf = sys.argv[1:]
MIB = 2048
disk, snap, clone, reader = (Session(f"{base}/{n}", f"iqn.2001-04.org.example:lun{n}").ready()
                             for n in (1, 2, 3, 4))

def whole(s):
    """The first byte of each MiB."""
    return [s.read(n * MIB, 1)[0] for n in range(10)]

check(whole(disk) == [3] * 2 + [2] * 2 + [1] * 4 + [0] * 2, whole(disk))
check(whole(snap) == [1] * 8 + [0] * 2, whole(snap))
check(whole(clone) == [1] * 8 + [0] * 2, whole(clone))

# All that writes is refused.
for cdb, data in ((write16(0, 1), bytes(512)),
                  (bytes([0x93]) + bytes(9) + bytes([0, 0, 0, 1, 0, 0]), bytes(512)),
                  (bytes([0x89]) + bytes(12) + bytes([1, 0, 0]), bytes(1024)),
                  (bytes([0x8B]) + bytes(9) + bytes([0, 0, 0, 1, 0, 0]), bytes(512)),
                  (bytes([0x2E]) + bytes(7) + bytes([1, 0]), bytes(512))):
    a = snap.command(cdb, write=data)
    check(a.is_sense(7, 0x2700), cdb, a)
a = snap.ok(snap.command(bytes([0x1A, 0, 0x3F, 0, 255, 0]), 255))
check(a.data[2] & 0x80, "MODE SENSE does not say that it is write-protected")

# A write to the clone, and what is around it.
clone.write(MIB + 3, b"c" * 512)
clone.write(9 * MIB, b"c" * 4096)
check(clone.read(MIB, 8) == b"\1" * 1536 + b"c" * 512 + b"\1" * 2048)
check(clone.read(9 * MIB, 16) == b"c" * 4096 + bytes(4096))
check(whole(snap) == [1] * 8 + [0] * 2)
check(disk.read(MIB, 8) == b"\3" * 4096)

# COMPARE AND WRITE and zeroes on what is still the parent's.
cdb = bytes([0x89, 0]) + (5 * MIB).to_bytes(8, "big") + bytes([0, 0, 0, 1, 0, 0])
check(clone.command(cdb, write=bytes(512) + b"d" * 512).is_sense(0xE, 0x1D00))
clone.ok(clone.command(cdb, write=b"\1" * 512 + b"d" * 512))
check(clone.read(5 * MIB, 2) == b"d" * 512 + b"\1" * 512)
clone.ok(clone.command(bytes([0x93, 0]) + (6 * MIB + 1).to_bytes(8, "big") +
                       (2).to_bytes(4, "big") + bytes(2), write=bytes(512)))
check(clone.read(6 * MIB, 4) == b"\1" * 512 + bytes(1024) + b"\1" * 512)

# Copy on read: what was read is the clone's own, after a moment.
def objects(image):
    prefix = subprocess.run(["rbd", "-c", conf, "--id", "tgt", "info", image], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    prefix = prefix.split("block_name_prefix: ")[1].split()[0]
    out = subprocess.run(["rados", "-c", conf, "--id", "tgt", "-p", "rbd", "ls"], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return sum(1 for line in out.splitlines() if line.startswith(prefix))

check(objects("reader") == 0)
check(whole(reader) == [1] * 8 + [0] * 2)
deadline = time.monotonic() + 20
while objects("reader") < 2:
    check(time.monotonic() < deadline, "nothing was copied")
    time.sleep(0.05)

# From one snapshot to another.
subprocess.run([tgtadm, "--lld", "iscsi", "--mode", "logicalunit", "--op", "update", "--tid", tid,
                "--lun", "2", "--params", "path=disk@tuesday"], check=True)
a = snap.command(bytes(6))
check(a.is_sense(6, 0x2800), a)
check(whole(snap) == [2] * 4 + [1] * 4 + [0] * 2, whole(snap))
check(snap.command(write16(0, 1), write=bytes(512)).is_sense(7, 0x2700))
END
python3 "$dir/snapshots.py" "$(url)" "$TGTADM" "$tid" "$ceph_conf"
