#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The cluster shuts our client out: what was under way fails and is not repeated, and all
# disks of the connection come back through another one, without a restart; those of other
# identities notice nothing.
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_stores
ceph_user other mon 'profile rbd' osd 'profile rbd pool=rbd'
for image in one two exclusive idle else; do
	rbd create --size 16M "$image"
done
rbd snap create --no-progress one@monday
tgtd_start
target_new
acl_bind "$tid" ALL
lun_new "$tid" 1 one
lun_new "$tid" 2 two
lun_new "$tid" 3 exclusive --bsopts "$ceph_opts;lock=exclusive"
lun_new "$tid" 4 one@monday
lun_new "$tid" 5 idle
lun_new "$tid" 6 else --bsopts "conf=$ceph_conf;id=other"

address()
{
	rbd status --format json "$1" | python3 -c \
		'import json, sys; print("\n".join(w["address"] for w in json.load(sys.stdin)["watchers"]))'
}
before=$(address one)
[ -n "$before" ] || fail 'nobody watches the image'
expect 'the connection of another disk' "$before" "$(address two)"

cat >"$dir/blocklist.py" <<'END'
import os, subprocess, sys, time
from libiscsi import *

base, conf, address, osd = sys.argv[1:]
luns = {n: Session(f"{base}/{n}", f"iqn.2001-04.org.example:lun{n}").ready() for n in range(1, 7)}
for n in (1, 2, 3, 5, 6):
    luns[n].write(0, bytes([n]) * 4096)
check(luns[4].read(0, 8) == bytes(4096))

# A write that is under way when we are shut out, and sent again by nobody: the OSD has
# it in a queue, and gets to it when we are shut out already.
os.kill(int(osd), 19)
late = luns[1].submit(write16(64, 8), write=b"L" * 4096)
check(luns[1].command(bytes(6)).good)
subprocess.run(["ceph", "-c", conf, "osd", "blocklist", "add", address], check=True,
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
other = luns[6].submit(write16(64, 8), write=b"O" * 4096)
check(late.answer is None and other.answer is None)
os.kill(int(osd), 18)
check(other.wait().good, other.answer)
a = late.wait(40)
# It was there before the OSD has heard of that, or it was refused.
check(a.good or a.is_sense(0xB, 0x0800), a)
landed = a.good

deadline = time.monotonic() + 40
def again(s, cdb, **kw):
    while True:
        a = s.command(cdb, **kw)
        if a.good:
            return a
        check(a.is_sense(0xB, 0x0800), a)
        check(time.monotonic() < deadline, "it does not come back")
        time.sleep(0.05)

for n in (1, 2, 3, 5):
    check(again(luns[n], read16(0, 8), read=4096).data == bytes([n]) * 4096, "LUN", n)
    again(luns[n], write16(8, 8), write=bytes([n + 16]) * 4096)
    check(luns[n].read(8, 8) == bytes([n + 16]) * 4096)
check(again(luns[4], read16(0, 8), read=4096).data == bytes(4096))
check(luns[1].read(64, 8) == (b"L" if landed else b"\0") * 4096, "a write that failed has landed")
luns[6].write(8, b"6" * 4096)
END
python3 "$dir/blocklist.py" "$(url)" "$ceph_conf" "$before" "$(ceph_pid osd.0)"

after=$(address one)
[ "$after" != "$before" ] || fail "the connection is still $before"
for image in two exclusive idle; do
	expect "the connection of $image" "$after" "$(address "$image")"
done
expect 'of a disk that has come back' "1" \
	"$(grep -c 'tgtd: rbd exclusive: open again' "$tgtd_log")"
! grep -q 'rbd else: ' "$tgtd_log" || fail 'another identity was concerned'
for lun in 1 2 3 4 5 6; do
	adm --mode logicalunit --op delete --tid "$tid" --lun "$lun" --force
done
expect 'who watches when all is closed' '' "$(address one)"
