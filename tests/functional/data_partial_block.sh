#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A file whose size is no multiple of the block: the last part is not served.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-readcapacity16

tgtd_start
target_new
truncate -s $((1024 * 1024 + 700)) "$dir/odd"
lun_new "$tid" 1 "$dir/odd"
acl_bind "$tid" ALL
said=$(iscsi-readcapacity16 "$(url 1)")
has "$said" "RETURNED LOGICAL BLOCK ADDRESS:2048"
io "$(url 1)" "write -P 3 1048576 512" "read -P 3 1048576 512"
expect "size of the file" $((1024 * 1024 + 700)) "$(stat -c %s "$dir/odd")"
