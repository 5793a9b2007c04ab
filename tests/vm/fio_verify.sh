#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Random reads and writes of all sizes from 512 bytes to 4 MiB, as single commands, with
# a checksum in all that is written and read again.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 256M)"
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END' | tee "$dir/said"
attach "$iqn" "$portal" 1
queue=/sys/block/${disk##*/}/queue
# What the kernel makes of our VPD page B0h: nothing that splits small commands.
[ "$(<"$queue/max_sectors_kb")" -ge 512 ] || fail "max_sectors_kb: $(<"$queue/max_sectors_kb")"
echo 4096 >"$queue/max_sectors_kb"
fio --rw=randrw --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 \
	--filename="$disk" --output-format=json --output=/run/fio \
	--name=small --size=48M --bsrange=512-64k --iodepth=32 \
	--name=large --offset=64M --size=160M --bsrange=64k-4M --iodepth=8 ||
	{ cat /run/fio; exit 1; }
echo "verified $(verified /run/fio | paste -sd+ | awk -F+ '{ print $1 + $2 }')"
END
figure "$(sed -n 's/^verified //p' "$dir/said")" "bytes verified"
guest_end
