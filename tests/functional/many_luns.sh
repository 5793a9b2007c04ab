#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Several targets with several LUNs: each has its own data, REPORT LUNS lists them.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io iscsi-ls

# libiscsi puts the number into the LUN field as it is: above 255 it takes the
# flat space form, SAM-5 4.7.7.3.
flat()
{
	url $(($1 > 255 ? $1 + 0x4000 : $1))
}

tgtd_start
for t in 1 2 3; do
	target_new
	for lun in 1 2 5 255 256 16383; do
		lun_new "$tid" "$lun" "$(disk_file 2M)"
	done
	acl_bind "$tid" ALL
done
for t in 1 2 3; do
	iqn=iqn.2001-04.org.example:test.$t
	for lun in 1 2 5 255 256 16383; do
		io "$(flat "$lun")" "write -P $((t * 10 + lun % 10)) 0 2M"
	done
done
for t in 1 2 3; do
	iqn=iqn.2001-04.org.example:test.$t
	for lun in 1 2 5 255 256 16383; do
		io "$(flat "$lun")" "read -P $((t * 10 + lun % 10)) 0 2M"
	done
done

python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    data = s.ok(s.command(bytes([0xA0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]), 512)).data
    n = int.from_bytes(data[:4], "big") // 8
    luns = [int.from_bytes(data[8 + 8 * i:10 + 8 * i], "big") & 0x3FFF for i in range(n)]
    check(luns == [0, 1, 2, 5, 255, 256, 16383], "REPORT LUNS:", luns)
    a = s.command(bytes(6), lun=3)
    check(a.is_sense(5, 0x2500), "a LUN that is not there:", a)
END
iscsi-ls --show-luns "iscsi://$portal" >"$dir/ls"
expect "disks that iscsi-ls shows" 18 "$(grep -c DIRECT_ACCESS "$dir/ls")"
adm_fails 22 'this logical unit number already exists' --mode logicalunit --op new \
	--tid 1 --lun 5 --backing-store "$(disk_file 1M)"
if lun_new 1 16384 "$(disk_file 1M)" 2>/dev/null; then
	fail "LUN 16384 was taken"
fi
