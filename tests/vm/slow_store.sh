#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# A store that hangs longer than the initiator waits: its kernel aborts commands and
# resets the LUN, and tgtd answers; when the store is well again, all goes on: no error
# but of reads ahead, no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"

portals_start
target_new
lun_new "$tid" 1 "rdwr:$(disk_file 64M)" --bstype error \
	--bsopts "control=$dir/slow;op=read+write+flush;hang=yes"
acl_bind "$tid" ALL
guest_start
# Read-ahead, say that of udev's, is not repeated by the kernel.
dmesg_expect 'I/O error, dev sd[a-z], sector [0-9]+ op 0x0:\(READ\) flags 0x80700' \
	'Buffer I/O error on dev sd' 'FAILED Result: hostbyte=DID_TIME_OUT|CDB: (Read|Write)'
writes_start "$here_1:3260"
guest iqn="$iqn" portal="$here_1:3260" <<'END'
disk=$(disk_of "$iqn" "$portal" 1)
echo 5 >"/sys/block/${disk##*/}/device/timeout"
END
touch "$dir/slow"
# RFC 7143 11.5.1: 1 is ABORT TASK, 5 is LOGICAL UNIT RESET; 11.6.1: 0 is done.
for function in 1 5; do
	wait_for 120 grep -q "task management function $function answered 0" "$tgtd_log" ||
		fail "the kernel did not ask for task management function $function"
done
rm "$dir/slow"
writes_go_on
writes_end
guest_end
