#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Discovery, login and data over IPv6.
. "$(dirname "$0")/lib/initiator.sh"

tgtd_start --iscsi 'portal=[fd77:1::1]:3260'
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" fd77:1::/64
guest_start
guest iqn="$iqn" <<'END'
expect "discovery" "[fd77:1::1]:3260,1 $iqn" "$(discover '[fd77:1::1]:3260')"
login "$iqn"
disk=$(disk_of "$iqn" '[fd77:1::1]:3260' 1)
head -c 16M /dev/urandom >/run/data
dd if=/run/data of="$disk" bs=1M oflag=direct status=none
dd if="$disk" bs=1M count=16 iflag=direct status=none | cmp - /run/data
END
figure $((16 << 20)) "bytes verified"
guest_end
