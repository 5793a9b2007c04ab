#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What keeps an image from being opened is said in a sentence, in time, with exit code
# 22; nothing of the LUN stays, the daemon and its other disks go on, and what was mended
# can be tried again.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"
need qemu-io

ceph_start
ceph_stores
ceph osd pool create other 8 >/dev/null 2>&1
rbd namespace create rbd/team
rbd create --size 16M disk
rbd create --size 16M plain --image-feature layering
ceph_user reader mon 'profile rbd' osd 'profile rbd-read-only pool=rbd'
ceph_user stranger mon 'profile rbd' osd 'profile rbd pool=other'
mons=$(sed -n 's/^ *mon host *= *//p' "$ceph_conf")
keyring=$ceph_dir/client.nobody.keyring
printf '[client.nobody]\n\tkey = AQDhS+BmAAAAABAAwMEzWjGnS5tKZ3nQ0cIOVA==\n' >"$ceph_dir/made-up"

tgtd_start
target_new
acl_bind "$tid" ALL
lun_new "$tid" 1 disk
lun_new "$tid" 5 "$(disk_file 16M)" --bstype rdwr

# refused SECONDS SENTENCE IMAGE BSOPTS
refused()
{
	local begin=${EPOCHREALTIME/./} ms

	adm_fails 22 "rbd $3: $2" --mode logicalunit --op new --tid "$tid" --lun 2 \
		--bstype rbd --backing-store "$3" --bsopts "$4"
	ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	note "$ms ms: $2"
	[ "$ms" -lt $(($1 * 1000)) ] || fail "it took $ms ms, not $1 s"
	has_not "$(show target)" '        LUN: 2'
}

o=$ceph_opts
as=conf=$ceph_conf
refused 5 "no such pool 'nowhere'" nowhere/disk "$o"
refused 5 "no such namespace 'crew' in pool 'rbd'" rbd/crew/disk "$o"
refused 5 "no such image 'gone' in pool 'rbd'" gone "$o"
refused 5 "no such image 'disk' in pool 'rbd/team'" rbd/team/disk "$o"
refused 5 "no such snapshot 'monday' of image 'disk' in pool 'rbd'" disk@monday "$o"
refused 5 "an image is [pool/[namespace/]]image[@snapshot], not 'a/b/c/d'" a/b/c/d "$o"
refused 5 "no permission for client.tgt: cannot open image 'disk' in pool 'other'" \
	other/disk "$o"
refused 5 "no permission for client.stranger: cannot open image 'disk' in pool 'rbd'" \
	disk "$as;id=stranger"
refused 5 "no keyring for client.nobody: cannot read $keyring" disk "$as;id=nobody"
refused 5 "the monitors $mons refuse client.nobody: no such user, or not with this key" \
	disk "$as;id=nobody;override=keyring=$ceph_dir/made-up"
refused 5 "the monitors $mons refuse client.absent: no such user, or not with this key" \
	disk "$as;id=absent;override=keyring=$ceph_dir/made-up"
refused 5 "the monitors $mons refuse client.tgt" \
	disk "$o;cephx_key=AQDhS+BmAAAAABAAwMEzWjGnS5tKZ3nQ0cIOVA=="
refused 5 "the key given for client.tgt is not a key" disk "$o;cephx_key=abc"
refused 5 "conf=$dir/none: No such file or directory" disk "conf=$dir/none"
refused 5 "conf=$BUILD/tgtd is not a Ceph configuration" disk "conf=$BUILD/tgtd"
refused 5 "there is no conf file for the cluster 'backup'" disk cluster=backup
refused 5 "override=: Ceph has no setting 'speed'" disk "$o;override=speed=11"
refused 5 "object_size= is for tgtimg" disk "$o;object_size=4M"
refused 5 "full_copy= is for tgtimg" disk "$o;full_copy=no"
refused 5 "override=: rados_osd_op_timeout must stay 0" \
	disk "$o;override=rados_osd_op_timeout=5"
refused 5 "lock= is shared, exclusive or none" disk "$o;lock=maybe"
refused 5 "lock=none: image 'disk' has the feature exclusive-lock" disk "$o;lock=none"
refused 5 "lock=exclusive: image 'plain' lacks the feature exclusive-lock" \
	plain "$o;lock=exclusive"
refused 5 "virsecretuuid=x is not a UUID" disk "$o;virsecretuuid=x"

note "nobody answers there"
refused 7 'cannot reach the monitors 127.0.0.1:1 in 2 s' \
	disk "$o;timeout=2;override=mon_host=127.0.0.1:1"
ceph_signal STOP mon.a
refused 7 "cannot reach the monitors $mons in 3 s" disk "$o;timeout=3"
ceph_signal CONT mon.a
ceph_signal STOP osd.0
refused 7 'the OSDs do not answer within 3 s' disk "$o;timeout=2"
io "$(url 5)" "write -P 3 0 4k" "read -P 3 0 4k"
ceph_signal CONT osd.0

note "what was refused can be tried again"
io "$(url 1)" "write -P 7 4k 64k" "read -P 7 4k 64k"
lun_new "$tid" 2 disk --bsopts "$o;timeout=2"
io "$(url 2)" "read -P 7 4k 64k"

note "whoever may only read is served so"
lun_new "$tid" 3 disk --bsopts "$as;id=reader"
python "$(url 3)" <<'END'
s = Session(sys.argv[1]).ready()
check(s.read(8, 128) == b"\7" * 65536)
check(s.command(write16(8, 1), write=bytes(512)).is_sense(7, 0x2700))
s.close()
END
has "$(show target)" '            Readonly: Yes'
