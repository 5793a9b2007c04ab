#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# lock=exclusive keeps other gateways from writing, and from having the image so as well,
# until its owner is gone; lock=shared lets the lock go to who writes.  COMPARE AND WRITE of
# more than 512 bytes is offered to those of the only owner.
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"
. "$(dirname "$0")/lib/gateways.sh"

ceph_start
ceph_stores
rbd create --size 16M disk

gateway a
target_new
acl_bind "$tid" ALL
lun_new "$tid" 1 disk --bsopts "$ceph_opts;lock=exclusive"
a=$(url 1)
io "$a" 'write -P 1 0 64k'

gateway b
target_new
acl_bind "$tid" ALL
adm_fails 22 "lock=exclusive: image 'disk' is locked by 127.0.0.1:" --mode logicalunit --op new \
	--tid "$tid" --lun 1 --bstype rbd --backing-store disk \
	--bsopts "$ceph_opts;lock=exclusive"
lun_new "$tid" 1 disk
b=$(url 1)
python "$a" "$b" <<'END'
a, b = (Session(url).ready() for url in sys.argv[1:])
check(b.read(0, 8) == b"\1" * 4096)
x = b.command(write16(0, 8), write=b"\2" * 4096)
check(x.is_sense(7, 0x2700), "another gateway writes past the lock", x)
check(a.read(0, 8) == b"\1" * 4096)

def longest(s):
    return s.ok(s.command(inquiry(0xB0), 64)).data[5]

check((longest(a), longest(b)) == (255, 1), longest(a), longest(b))
cdb = bytes([0x89, 0]) + bytes(8) + bytes([0, 0, 0, 8, 0, 0])
a.ok(a.command(cdb, write=b"\1" * 4096 + b"\3" * 4096))
check(a.command(cdb, write=b"\1" * 4096 + b"\4" * 4096).is_sense(0xE, 0x1D00))
check(b.read(0, 16) == b"\3" * 4096 + b"\1" * 4096)
a.close()
b.close()
END

gateway a
tid=1
adm --mode logicalunit --op delete --tid "$tid" --lun 1
io "$b" 'write -P 5 0 64k' 'read -P 5 0 64k'
lun_new "$tid" 1 disk
# Now it goes to and fro.
for n in 6 7; do
	io "$a" "write -P $n 0 64k"
	io "$b" "read -P $n 0 64k" "write -P 1$n 64k 64k"
	io "$a" "read -P 1$n 64k 64k"
done
