#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Under verified writes an OSD stops for longer than others wait for it, an OSD is killed
# and brought back, and so is the monitor: nothing that was acknowledged is lost, nothing
# fails or hangs longer than the outage, aborts are answered, and a disk that is a file
# goes on meanwhile.  And a cluster that is down when the daemon starts.
# timeout: 420
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=bluestore OSDS=2
# So that some objects of the disk are with each.
rbd create --size 32M --object-size 64K disk
tgtd_start
target_new
acl_bind "$tid" ALL
lun_new "$tid" 1 disk --bstype rbd --bsopts "$ceph_opts"
lun_new "$tid" 2 "$(disk_file 16M)" --bstype rdwr

cat >"$dir/load.py" <<'END'
"""load.py URL OUTAGE-SECONDS STALLS - writes to LUN 1, and says "begin" and "end" where
the fault is to begin and end; each is answered with a line when that has happened."""
import random, sys, time
from libiscsi import *

SLOTS, BLOCKS, WINDOW = 512, 128, 8     # a slot is an object
random.seed(5)
url, outage, stalls = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "stalls"
s = Session(url + "/1").ready()
lib.iscsi_set_timeout(s.ctx, 120)       # longer than the outage
o = Session(url + "/2", "iqn.2001-04.org.example:file").ready()
kept = {}                               # slot: what was acknowledged last
doubtful = set()                        # slots of aborted writes, which may still land
flying = {}                             # slot: (command, data)
nr_acked = 0


def content(slot, n):
    return (b"%08d %08d " % (slot, n) * 16)[:256] * 2


def turn(may_start=True):
    """Take the answers; keep WINDOW writes on their way."""
    global nr_acked
    for slot, (w, data) in list(flying.items()):
        if w.answer is not None:
            check(w.wait().good, "slot", slot, w.answer)
            kept[slot] = data
            del flying[slot]
            nr_acked += 1
    while may_start and len(flying) < WINDOW:
        slot = random.choice([n for n in range(SLOTS) if n not in flying and n not in doubtful])
        turn.n += 1
        data = content(slot, turn.n)
        flying[slot] = s.submit(write16(slot * BLOCKS, 1), write=data), data
    s.serve(0.05)


turn.n = 0


def ask(word):
    print(word, flush=True)
    check(sys.stdin.readline() == word + "\n", "the shell is gone")


def until_acked(n, seconds):
    deadline = time.monotonic() + seconds
    while nr_acked < n:
        check(time.monotonic() < deadline, "hangs:", nr_acked, "of", n, "written,", flying)
        turn()


until_acked(200, 60)
ask("begin")
began, before, others = time.monotonic(), nr_acked, 0
aborted = False
while time.monotonic() < began + outage:
    turn()
    o.write(others % 4096, others.to_bytes(8, "big") * 64)
    check(o.read(others % 4096, 1) == others.to_bytes(8, "big") * 64)
    others += 1
    if stalls and not aborted and time.monotonic() > began + outage / 2:
        # All that is on its way waits by now.  A write with which that is so may be
        # carried out yet, and the answer says so.
        slot, (w, data) = next(iter(flying.items()))
        a = s.abort(w)
        while a.answer is None:
            turn(False)
        aborted = True
        check(a.seconds < 5, "an abort took", a.seconds)
        check(a.answer.status == TMF_REJECTED, a.answer)
        del flying[slot]
        doubtful.add(slot)
        kept.pop(slot, None)
        print("an abort took %.3f s" % a.seconds, file=sys.stderr)
print(nr_acked - before, "writes to the image and", others, "to the file in", outage, "s",
      file=sys.stderr)
check(others >= 20, "the other disk stood still:", others)
if stalls:
    check(len(flying) > 0)
else:
    check(nr_acked - before >= 20, "it stood still:", nr_acked - before)
ask("end")
until_acked(nr_acked + 200, 90)
deadline = time.monotonic() + 60
while flying:
    check(time.monotonic() < deadline, "hang for ever:", flying)
    turn(False)
for slot, data in kept.items():
    got = s.read(slot * BLOCKS, 1)
    check(got == data, "slot", slot, "has", got[:18], "not", data[:18])
with open(sys.argv[4], "wb") as f:
    for slot, data in sorted(kept.items()):
        f.write(slot.to_bytes(8, "big") + data)
s.close()
o.close()
END

# outage SECONDS stalls|goes-on BEGIN END - commands that begin and end it.
outage()
{
	local word

	coproc LOAD { python3 "$dir/load.py" "$(url)" "$1" "$2" "$dir/kept" 2>"$dir/words"; }
	# shellcheck disable=SC2153 # coproc sets it
	local pid=$LOAD_PID in=${LOAD[0]} out=${LOAD[1]}

	for word in begin end; do
		read -r got <&"$in" || fail "$(cat "$dir/words")"
		[ "$got" = $word ] || fail "$got $(cat "$dir/words")"
		case $word in
		begin) eval "$3" ;;
		end) eval "$4" ;;
		esac
		echo $word >&"$out"
	done
	while read -r got <&"$in"; do
		echo "$got"
	done
	wait "$pid" || fail "$(cat "$dir/words")"
	cat "$dir/words"
	# What librbd reads without us.
	rbd export disk "$dir/export" 2>/dev/null
	python3 - "$dir/kept" "$dir/export" <<-'END'
	import sys
	kept, disk = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read()
	for n in range(0, len(kept), 520):
	    at = int.from_bytes(kept[n:n + 8], "big") * 65536
	    assert disk[at:at + 512] == kept[n + 8:n + 520], at
	END
	rm "$dir/export"
}

note "an OSD stops, for longer than its grace of 20 s"
outage 30 stalls 'ceph_signal STOP osd.0' 'ceph_signal CONT osd.0'

note "an OSD is killed, and brought back"
outage 5 stalls 'ceph_signal KILL osd.1' ceph_revive

note "the monitor is killed, and brought back: it is not needed for writing"
outage 5 goes-on 'ceph_signal KILL mon.a' ceph_revive

note "all of it is killed, and brought back"
outage 5 stalls 'ceph_signal KILL mon.a osd.0 osd.1' ceph_revive

note "the cluster is down when the daemon starts, and comes then"
tgtd_stop
ceph_signal KILL mon.a osd.0 osd.1
tgtd_start
target_new
acl_bind "$tid" ALL
mons=$(sed -n 's/^mon host = //p' "$ceph_conf")
lun_new "$tid" 2 "$(disk_file 16M)" --bstype rdwr
adm_fails 22 "rbd disk: cannot reach the monitors $mons in 3 s" --mode logicalunit --op new \
	--tid "$tid" --lun 1 --bstype rbd --backing-store disk --bsopts "$ceph_opts;timeout=3"
io "$(url 2)" 'write -P 9 0 1M' 'read -P 9 0 1M'
ceph_revive
lun_new "$tid" 1 disk --bstype rbd --bsopts "$ceph_opts"
io "$(url 1)" 'write -P 9 0 1M' 'read -P 9 0 1M'
