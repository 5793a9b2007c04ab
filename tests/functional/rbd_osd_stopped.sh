#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The OSDs of an image stop answering: commands wait, aborts are answered within a second
# and say the truth, other disks notice nothing, and all ends well when they go on; what is
# deleted meanwhile is gone in bounded time.
# timeout: 180
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_stores
rbd create --size 64M disk
rbd create --size 64M other
tgtd_start
target_new
acl_bind "$tid" ALL
lun_new "$tid" 1 disk
lun_new "$tid" 2 "$(disk_file 16M)" --bstype rdwr
lun_new "$tid" 3 other --bsopts "$ceph_opts;timeout=2"

cat >"$dir/stopped.py" <<'END'
import os, sys, time
from libiscsi import *

base, osd = sys.argv[1], int(sys.argv[2])
s = Session(f"{base}/1").ready()
o = Session(f"{base}/2", "iqn.2001-04.org.example:file").ready()
s.write(0, b"1" * 4096)
os.kill(osd, 19)
write = s.submit(write16(0, 8), write=b"2" * 4096)
read = s.submit(read16(8, 8), 4096)
caw = s.submit(bytes([0x89, 0]) + (32).to_bytes(8, "big") + bytes([0, 0, 0, 1, 0, 0]),
               write=bytes(512) + b"3" * 512)
status = s.submit(bytes([0x9E, 0x12]) + bytes(11) + bytes([24, 0, 0]), 24)
flush = s.submit(SYNCHRONIZE_CACHE)
check(s.command(bytes(6)).good, "the session stands still")

# A read that is given up changes nothing.  A write may still land.
a = s.abort(read)
check(a.wait(10).status == TMF_COMPLETE, a.answer)
aborted = s.submit(write16(16, 8), write=b"4" * 4096)
check(s.command(bytes(6)).good)
a = s.abort(aborted)
check(a.wait(10).status == TMF_REJECTED, a.answer)
check(a.seconds < 5, "the abort took", a.seconds)
for n in range(50):
    o.write(8 * n, bytes([n]) * 4096)
    check(o.read(8 * n, 8) == bytes([n]) * 4096)
check(write.answer is None and caw.answer is None and aborted.answer is None)

os.kill(osd, 18)
check(write.wait(60).good, write.answer)
check(caw.wait(60).good, caw.answer)
check(flush.wait(60).good, flush.answer)
status.wait(60)
check(s.read(0, 8) == b"2" * 4096)
check(s.read(32, 1) == b"3" * 512)
# Sent before what follows on the same connection, so it has landed or never will.
seen = s.read(16, 8)
check(seen in (b"4" * 4096, bytes(4096)))
s.write(16, b"5" * 4096)
for _ in range(20):
    check(s.read(16, 8) == b"5" * 4096, "a write that was aborted landed later")
s.close()
o.close()
END
python3 "$dir/stopped.py" "$(url)" "$(ceph_pid osd.0)"

note 'a disk is deleted meanwhile'
ceph_signal STOP osd.0
adm --mode logicalunit --op delete --tid "$tid" --lun 3 --force
has_not "$(show target)" '        LUN: 3'
io "$(url 2)" 'write -P 9 0 4k' 'read -P 9 0 4k'
ceph_signal CONT osd.0
# What was left to itself has ended: nobody watches the image.
nobody_watches()
{
	[[ $(rbd status "$1") == *'Watchers: none'* ]]
}
wait_for 60 nobody_watches other || fail "$(rbd status other)"

note 'the daemon ends meanwhile'
ceph_signal STOP osd.0
tgtd_stop
ceph_signal CONT osd.0

note 'the daemon ends while what it has given up goes on'
for _ in 1 2; do
	tgtd_start
	target_new
	ceph_signal STOP osd.0
	adm_fails 22 'rbd disk: the OSDs do not answer within 4 s' --mode logicalunit --op new \
		--tid "$tid" --lun 1 --bstype rbd --backing-store disk --bsopts "$ceph_opts;timeout=3"
	ceph_signal CONT osd.0
	tgtd_stop
done
