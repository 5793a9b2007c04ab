#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A block device (a loop device) as the store: data, size, FUA.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io losetup

loop=$(losetup --find --show "$(disk_file 32M)" 2>"$dir/err") ||
	skip "no loop device: $(tail -n 1 "$dir/err")"
detach()
{
	losetup --detach "$loop"
}
trap 'code=$?; detach; (exit "$code"); at_exit' EXIT

tgtd_start
target_new
lun_new "$tid" 1 "$loop"
acl_bind "$tid" ALL
has "$(iscsi-readcapacity16 "$(url 1)")" "Total size:$((32 * 1024 * 1024))"
io "$(url 1)" "write -P 0x42 0 4M" "write -f -P 0x43 4M 64k" flush \
	"read -P 0x42 0 4M" "read -P 0x43 4M 64k"
adm --mode target --op delete --tid "$tid" --force
expect "byte on the device" 43 "$(od -An -tx1 -j $((4 << 20)) -N 1 "$loop" | tr -d ' ')"

# direct as well: a loop device wants aligned memory.
target_new
lun_new "$tid" 1 "$loop" --bsoflags direct
acl_bind "$tid" ALL
io "$(url 1)" "read -P 0x42 0 4M" "write -P 0x44 512 512" "read -P 0x44 512 512" "read -P 0x42 0 512"
