#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# A store that takes longer than the initiator waits: its kernel aborts the commands and
# resets the LUN; when the store is well again, all goes on: no error but of what it gave
# up on, no byte lost.
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
guest <<'END'
# Its error handler has gone through abort and reset, to a new session.
wait_for 200 eval 'dmesg | grep -qE "session[0-9]+: .*|connection[0-9]+:0: "' ||
	fail "the kernel waits as if nothing were wrong"
END
rm "$dir/slow"
writes_go_on
writes_end
guest_end
