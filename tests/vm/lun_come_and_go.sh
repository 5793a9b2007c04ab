#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN that is added is there after a rescan, without another login; one that is
# removed, sessions being idle, is an error for who still uses it, and for nobody else.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
attach "$iqn" "$portal" 1
END
lun_new "$tid" 2 "$(disk_file 32M)"
dmesg_expect 'LUN assignments on this target have changed|Inquiry data has changed'
guest iqn="$iqn" portal="$here_1:3260" <<'END'
iscsiadm -m session --rescan >/dev/null
settled
disk=$(disk_of "$iqn" "$portal" 2)
expect "size of LUN 2" $((32 << 20)) "$(blockdev --getsize64 "$disk")"
head -c 8M /dev/urandom >/run/data
for lun in 1 2; do
	dd if=/run/data of="$(disk_of "$iqn" "$portal" "$lun")" bs=1M oflag=direct status=none
done
END
adm --mode logicalunit --op delete --tid "$tid" --lun 2
dmesg_expect 'I/O error, dev sd[a-z], sector|Buffer I/O error on dev sd' \
	'Sense Key : Illegal Request|Logical unit not supported|FAILED Result|CDB: ' \
	'Synchronize Cache\(10\) failed|unable to read RDB block' 'callbacks suppressed'
guest iqn="$iqn" portal="$here_1:3260" <<'END'
gone=$(disk_of "$iqn" "$portal" 2)
# Either the kernel has noticed that there is no capacity any more, or there is an error.
read_of_it=$(dd if="$gone" bs=4k count=1 iflag=direct status=none 2>/dev/null | wc -c || :)
expect "bytes of the LUN that was removed" 0 "$read_of_it"
if sg_turs "$gone" 2>/run/err; then
	fail "the LUN that was removed is ready"
fi
disk=$(disk_of "$iqn" "$portal" 1)
dd if="$disk" bs=1M count=8 iflag=direct status=none | cmp - /run/data
echo 1 >"/sys/block/${gone##*/}/device/delete"
expect "disks" 1 "$(lsscsi | grep -c disk)"
END
figure $((8 << 20)) "bytes verified"
guest_end
