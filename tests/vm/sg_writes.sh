#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# sg_compare_and_write, sg_write_same, sg_unmap, sg_get_lba_status and sg_xcopy do what
# they say, to the byte.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
lun_new "$tid" 2 "$(disk_file 64M)"
for lun in 1 2; do
	adm --mode logicalunit --op update --tid "$tid" --lun "$lun" --params thin_provisioning=1
done
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
attach "$iqn" "$portal" 1
other=$(disk_of "$iqn" "$portal" 2)
head -c 16M /dev/urandom >/run/data
dd if=/run/data of="$disk" bs=1M oflag=direct status=none

# blocks FIRST NUMBER [DISK] - the bytes there now.
blocks()
{
	dd if="${3:-$disk}" bs=64k skip=$(($1 * 512)) count=$(($2 * 512)) \
		iflag=direct,skip_bytes,count_bytes status=none
}

# Compare and write: the first with what is there, the second with what is no more.
head -c 512 /dev/urandom >/run/new
{ head -c 512 /run/data; cat /run/new; } >/run/pair
sg_compare_and_write --in=/run/pair --lba=0 --num=1 "$disk"
blocks 0 1 | cmp - /run/new
if sg_compare_and_write --in=/run/pair --lba=0 --num=1 "$disk" 2>/run/err; then
	fail "a comparison with other data was GOOD"
fi
grep -qi miscompare /run/err || fail "no miscompare: $(cat /run/err)"

# Write same: one block, a thousand times.
sg_write_same --16 --in=/run/new --lba=2048 --num=1000 "$disk"
cp /run/new /run/same
for _ in $(seq 10); do
	cat /run/same /run/same >/run/twice
	mv /run/twice /run/same
done
blocks 2048 1000 | cmp - <(head -c 512000 /run/same)
blocks 3048 8 | cmp - <(dd if=/run/data bs=512 skip=3048 count=8 status=none)

# Unmap: zeroes, and GET LBA STATUS knows.
sg_unmap --lba=8192 --num=2048 --force "$disk"
blocks 8192 2048 | cmp - <(head -c 1M /dev/zero)
sg_get_lba_status --lba=8192 "$disk" >/run/out
grep -qiE 'deallocated|P_STATUS: 1|Provisioning status: 1' /run/out || fail "not deallocated: $(cat /run/out)"
sg_get_lba_status --lba=0 "$disk" >/run/out
grep -qiE ' mapped|^mapped|P_STATUS: 0|Provisioning status: 0' /run/out || fail "not mapped: $(cat /run/out)"

# Write same with UNMAP.
sg_write_same --16 --unmap --in=/dev/zero --xferlen=512 --lba=16384 --num=2048 "$disk"
blocks 16384 2048 | cmp - <(head -c 1M /dev/zero)

# Third-party copy, between two LUNs.
sg_xcopy if="$disk" of="$other" bs=512 count=16384 >/run/out 2>&1 || fail "sg_xcopy: $(cat /run/out)"
cmp <(blocks 0 16384) <(blocks 0 16384 "$other")
END
figure $(((1 + 8 + 8) << 20)) "bytes verified"
guest_end
