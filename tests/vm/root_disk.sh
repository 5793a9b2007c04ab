#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# A machine with its root on a LUN: the initramfs logs in.  tgtd is killed and started
# again under it; what it wrote is in the disk's file, whose file system is clean.
. "$(dirname "$0")/lib/initiator.sh"

iqn=iqn.2001-04.org.example:root
file=$dir/root.img
cp --sparse=always "$VM_DIR/root.img" "$file"
serve()
{
	portals_start
	adm --mode target --op new --tid 1 --targetname "$iqn"
	lun_new 1 1 "$file"
	acl_bind 1 ALL
}

serve
cat "$VM_DIR/initrd" "$VM_DIR/initrd-iscsi" >"$dir/initrd"
guest_initrd=$dir/initrd guest_append="iscsi=$iqn,$here_1,3260,1 root_net=$there_1/24" guest_start
guest <<'END'
expect "the root's disk" sda "$(lsblk -no NAME "$(findmnt -no SOURCE /)")"
head -c 32M /dev/urandom >/root/data
sha256sum /root/data >/root/sum
sync
END
tgtd_kill
serve
guest <<'END'
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c /root/sum
head -c 8M /root/data >/root/after
sync
fstrim / 2>/dev/null || :
mount -o remount,ro /
END
dmesg_expect 'connection[0-9]+:0: (detected conn error|ping timeout)' \
	'session[0-9]+: .*(recovery|timed out)' 'iscsi: .*'
guest_complains
guest_off "$guest"
tgtd_stop
e2fsck -fn "$file" >"$dir/fsck" 2>&1 || fail "e2fsck: $(<"$dir/fsck")"
debugfs -R "dump /root/data $dir/data" "$file" 2>/dev/null
debugfs -R "cat /root/sum" "$file" 2>/dev/null | awk '{ print $1 }' >"$dir/sum"
expect "checksum" "$(<"$dir/sum")" "$(sha256sum <"$dir/data" | awk '{ print $1 }')"
figure $((32 << 20)) "bytes verified"
figure 1 "outages survived"
figure 1 "boots from a LUN"
