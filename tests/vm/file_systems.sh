#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ext4 and xfs: made, mounted, written; after logout and login the same bytes are there
# and the file system is clean, and so it is for this machine in the disk's file.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
ext4=$(disk_file 256M)
xfs=$(disk_file 512M)
lun_new "$tid" 1 "$ext4"
lun_new "$tid" 2 "$xfs"
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
discover "$portal" >/dev/null
head -c 24M /dev/urandom >/run/data

fill()
{
	mount "$1" /mnt
	for n in 1 2 3; do
		cp /run/data "/mnt/$n"
	done
	mkdir /mnt/tree
	for n in $(seq 200); do
		echo "$n" >"/mnt/tree/$n"
	done
	(cd /mnt && find . -type f -exec sha256sum {} +) >"/run/sums"
	umount /mnt
}

look()
{
	mount "$1" /mnt
	(cd /mnt && sha256sum --quiet -c "/run/sums")
	umount /mnt
}

check_ext4()
{
	e2fsck -fn "$1" >/dev/null
}

check_xfs()
{
	xfs_repair -n "$1" >/dev/null 2>&1
}

lun=1
for fs in ext4 xfs; do
	login "$iqn" "$portal"
	disk=$(disk_of "$iqn" "$portal" "$lun")
	"mkfs.$fs" -q "$disk"
	fill "$disk"
	logout "$iqn"
	expect "disks" "" "$(lsscsi)"
	login "$iqn" "$portal"
	disk=$(disk_of "$iqn" "$portal" "$lun")
	look "$disk"
	"check_$fs" "$disk" || fail "$fs is not clean"
	logout "$iqn"
	lun=$((lun + 1))
done
END
e2fsck -fn "$ext4" >"$dir/fsck" 2>&1 || fail "e2fsck: $(<"$dir/fsck")"
xfs_repair -n "$xfs" >"$dir/fsck" 2>&1 || fail "xfs_repair: $(<"$dir/fsck")"
figure $((2 * 3 * 24 << 20)) "bytes verified"
guest_end
