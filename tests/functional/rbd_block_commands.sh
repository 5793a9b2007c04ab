#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every command that changes or compares blocks, at random, on images, with librbd's
# cache and without, striped, and with blocks of 4096 bytes: the image is what a model says.
# timeout: 240
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_stores
tgtd_start

# checked BLOCK-BYTES IMAGE [BSOPTS]
checked()
{
	note "$2, blocks of $1, ${3:-}"
	target_new
	lun_new "$tid" 1 "$2" --blocksize "$1" --bstype rbd --bsopts "$ceph_opts${3:+;$3}"
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
	acl_bind "$tid" ALL
	python3 "$lib/block_commands.py" "$(url 1)" "$1" "$dir/model"
	adm --mode target --op delete --tid "$tid" --force
	rm -f "$dir/export"
	rbd export --no-progress "$2" "$dir/export"
	cmp "$dir/model" "$dir/export"
}

checked 512 "$(ceph_image 16M)"
checked 4096 "$(ceph_image 16M)"
checked 512 "$(ceph_image 16M)" 'lock=exclusive;cache'
rbd create --size 16M --stripe-unit 65536 --stripe-count 4 --object-size 1M striped
checked 512 striped
rbd create --size 16M --image-feature layering simple
checked 512 simple lock=none
