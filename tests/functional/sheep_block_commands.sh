#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every command that changes or compares blocks, at random, on VDIs with objects of
# several sizes, with blocks of 512 and 4096 bytes, where space is given back and where
# it is not: the VDI is what a model says.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/sheep.sh"

sheep_start --reorder 3
sheep_need_module
tgtd_start

# checked BLOCK-BYTES NAME SHIFT [BSOPTS]
checked()
{
	note "objects of 2^$3 bytes, blocks of $1, ${4:-}"
	sheep_vdi "$2" 16M --shift "$3"
	target_new
	lun_new "$tid" 1 "$sheep_address:$vdi" --blocksize "$1" --bstype sheepdog --bsopts "${4:-}"
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
	acl_bind "$tid" ALL
	python3 "$lib/block_commands.py" "$(url 1)" "$1" "$dir/model"
	adm --mode target --op delete --tid "$tid" --force
	sheep compare "$vdi" "$dir/model"
}

checked 512 small 20
checked 4096 large 22
# On a real cluster what is discarded and written again may be lost: doc/README.sheepdog.
if [ -z "${SHEEP:-}" ]; then
	checked 512 thin 20 discard=yes
	checked 4096 tiny 16 discard=yes
fi
