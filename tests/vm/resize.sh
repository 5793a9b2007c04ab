#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A disk that grows while it is mounted: a rescan sees it, the file system grows into it.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
file=$(disk_file 64M)
lun_new "$tid" 1 "$file"
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
attach "$iqn" "$portal" 1
mkfs.ext4 -q "$disk"
mount "$disk" /mnt
head -c 24M /dev/urandom >/mnt/a
sha256sum /mnt/a >/run/sum
END
truncate -s 128M "$file"
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params size=auto
dmesg_expect 'Capacity data has changed|capacity change'
guest iqn="$iqn" portal="$here_1:3260" <<'END'
disk=$(disk_of "$iqn" "$portal" 1)
iscsiadm -m session --rescan >/dev/null
wait_for 20 eval '[ "$(blockdev --getsize64 "$disk")" -eq $((128 << 20)) ]' ||
	fail "the disk has $(blockdev --getsize64 "$disk") bytes"
resize2fs "$disk" 2>&1
head -c 64M /dev/zero >/mnt/b
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c --quiet /run/sum
END
figure $((24 << 20)) "bytes verified"
guest_end
