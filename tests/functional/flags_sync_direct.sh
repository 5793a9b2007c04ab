#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# --bsoflags sync, direct and both: shown, and the data is right.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

tgtd_start
for flags in sync direct sync:direct; do
	file=$(disk_file 32M)
	target_new
	lun_new "$tid" 1 "$file" --bsoflags "$flags"
	acl_bind "$tid" ALL
	has "$(show target)" "            Backing store flags: $flags"
	io "$(url 1)" "write -P 0x11 0 1M" "write -P 0x22 1M 512" "write -P 0x33 1049088 4k" \
		"read -P 0x11 0 1M" "read -P 0x22 1M 512" "read -P 0x33 1049088 4k"
	adm --mode target --op delete --tid "$tid" --force
	expect "byte in the file" 33 "$(od -An -tx1 -j 1049088 -N 1 "$file" | tr -d ' ')"
done

target_new
adm_fails 22 'invalid request' --mode logicalunit --op new --tid "$tid" --lun 1 \
	--backing-store "$(disk_file 1M)" --bsoflags bogus
