#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every command that changes or compares blocks, at random, on every store for
# files, with blocks of 512 and 4096 bytes: the disk and the file behind it are what
# a model says.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"

MIB=16
tgtd_start
stores=()
for store in rdwr aio uring; do
	[ ! -e "$BUILD/modules/bs_$store.so" ] || stores+=("$store")
done
for store in "${stores[@]}"; do
	for block in 512 4096; do
		note "$store, blocks of $block"
		file=$(disk_file "${MIB}M")
		target_new
		lun_new "$tid" 1 "$file" --bstype "$store" --blocksize "$block"
		adm --mode logicalunit --op update --tid "$tid" --lun 1 \
			--params thin_provisioning=1
		acl_bind "$tid" ALL
		python3 "$lib/block_commands.py" "$(url 1)" "$block" "$dir/model"
		cmp "$dir/model" "$file"
	done
done
[ "${#stores[@]}" -gt 0 ]
