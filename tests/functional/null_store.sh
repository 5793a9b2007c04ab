#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# bstype null: as large as one says, reads zeroes, keeps nothing.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

tgtd_start
target_new
adm --mode logicalunit --op new --tid "$tid" --lun 1 --bstype null --bsopts size=8T
acl_bind "$tid" ALL
has "$(iscsi-readcapacity16 "$(url 1)")" "Total size:$((8 << 40))"
io "$(url 1)" "read -P 0 0 1M" "write -P 1 7T 1M" "read -P 0 7T 1M" flush
