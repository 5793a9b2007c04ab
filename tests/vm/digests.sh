#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Header and data digests, alone and together: what is written is read again.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
discover "$portal" >/dev/null
head -c 16M /dev/urandom >/run/data
for header in None CRC32C; do
	for data in None CRC32C; do
		setting 'node.conn[0].iscsi.HeaderDigest' "$header"
		setting 'node.conn[0].iscsi.DataDigest' "$data"
		login "$iqn" "$portal"
		iscsiadm -m session -P 2 | grep -qi "HeaderDigest: $header"
		iscsiadm -m session -P 2 | grep -qi "DataDigest: $data"
		disk=$(disk_of "$iqn" "$portal" 1)
		dd if=/run/data of="$disk" bs=1M oflag=direct status=none
		dd if="$disk" bs=1M count=16 iflag=direct status=none | cmp - /run/data
		logout "$iqn"
	done
done
END
figure $((4 * 16 << 20)) "bytes verified"
guest_end
