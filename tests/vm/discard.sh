#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# blkdiscard and fstrim give the space in the file back; what is kept is untouched, and
# what is gone reads as zeroes.
. "$(dirname "$0")/lib/initiator.sh"

allocated_mib()
{
	sync "$file"
	echo $(($(stat -c '%b * %B' "$file") >> 20))
}

portals_start
target_new
file=$(disk_file 128M)
lun_new "$tid" 1 "$file"
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
attach "$iqn" "$portal" 1
head -c 96M /dev/urandom >"/run/data"
dd if=/run/data of="$disk" bs=1M oflag=direct status=none
END
full=$(allocated_mib)
[ "$full" -ge 96 ] || fail "96 MiB written, $full MiB allocated"

guest iqn="$iqn" portal="$here_1:3260" <<'END'
disk=$(disk_of "$iqn" "$portal" 1)
blkdiscard --offset 32M --length 48M "$disk"
dd if="$disk" bs=1M count=96 iflag=direct status=none |
	cmp - <(head -c 32M /run/data; head -c 48M /dev/zero; tail -c 16M /run/data)
END
now=$(allocated_mib)
[ "$now" -le $((full - 48)) ] || fail "48 MiB discarded, $full MiB became $now"

guest iqn="$iqn" portal="$here_1:3260" <<'END'
disk=$(disk_of "$iqn" "$portal" 1)
blkdiscard "$disk"
mkfs.ext4 -q "$disk"
mount "$disk" /mnt
cp /run/data /mnt/a
head -c 8M /run/data >/mnt/b
sync
rm /mnt/a
sync
fstrim -v /mnt
cmp -n $((8 << 20)) /run/data /mnt/b
umount /mnt
END
now=$(allocated_mib)
[ "$now" -le 32 ] || fail "after fstrim there are still $now MiB allocated"
figure $((104 << 20)) "bytes verified"
figure $(((48 + 96 + 96) << 20)) "bytes given back by discard"
guest_end
