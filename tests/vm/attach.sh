#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Discovery names every portal; a login by each gives a disk; logout takes it away.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" one="$here_1:3260" two="$here_2:3260" <<'END'
for p in $one $two; do
	expect "discovery by $p" "$one,1 $iqn $two,1 $iqn" "$(discover "$p" | sort | xargs)"
done
login "$iqn"
for p in $one $two; do
	expect "size of the disk at $p" 67108864 "$(blockdev --getsize64 "$(disk_of "$iqn" "$p" 1)")"
done
expect "sessions" 2 "$(iscsiadm -m session | grep -c "$iqn")"
lsscsi
logout "$iqn" "$one"
expect "disks after a logout" 1 "$(lsscsi | grep -c disk)"
logout "$iqn" "$two"
expect "disks after both" "" "$(lsscsi)"
END
expect "sessions of tgtd" 0 "$(adm --mode target --op show | grep -c 'Initiator:' || :)"
guest_end
