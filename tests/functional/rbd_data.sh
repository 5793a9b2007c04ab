#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Data on an image comes back byte for byte: random data of odd sizes, four initiators with
# 32 commands each that check every read, a file system; and it is in the image itself.
# timeout: 240
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"
need qemu-img mkfs.ext4 e2fsck
[ -x "$BUILD/bench/iscsi_load" ] || skip 'the load generator was not built'

ceph_start
ceph_stores
tgtd_start
target_new
acl_bind "$tid" ALL

is_in_the_image()
{
	rm -f "$dir/export"
	rbd export --no-progress "$2" "$dir/export"
	cmp "$1" "$dir/export"
}

note 'random data, many requests in flight'
rbd create --size 64M random
lun_new "$tid" 1 random
head -c 64M /dev/urandom >"$dir/random"
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/random" "$(url 1)"
python3 "$(dirname "$0")/lib/random_data.py" "$(url 1)" "$dir/random"
is_in_the_image "$dir/random" random

for options in '' 'cache;lock=exclusive'; do
	note "load, $options"
	rbd create --size 64M "load$options"
	lun_new "$tid" 2 "load$options" --bsopts "$ceph_opts;$options"
	"$BUILD/bench/iscsi_load" --portal "$portal" --target "$iqn" --lun 2 --conns 4 --depth 32 \
		--read 50 --time 2 --verify | tee "$dir/load"
	grep -q ' 0 wrong' "$dir/load"
	adm --mode logicalunit --op delete --tid "$tid" --lun 2 --force
done

note 'a file system'
rbd create --size 128M ext4
lun_new "$tid" 3 ext4 --bsopts "$ceph_opts;cache"
truncate -s 128M "$dir/ext4.img"
mkfs.ext4 -q -F -d "$SRC/usr" "$dir/ext4.img"
qemu-img convert -n -f raw -O raw "$dir/ext4.img" "$(url 3)"
qemu-img convert -f raw -O raw "$(url 3)" "$dir/back.img"
cmp "$dir/ext4.img" "$dir/back.img"
e2fsck -fn "$dir/back.img"
tgtd_stop
is_in_the_image "$dir/ext4.img" ext4
