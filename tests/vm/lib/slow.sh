# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# A store that hangs, after lib/initiator.sh:
#
#	slow_start OPERATIONS	verified writes to it
#	slow_hang, slow_go_on	from now on these operations hang; now they do not
#	said REGEX		how often tgtd has said that
#	says_more N REGEX	until that is more than N times, or fail
#
# The initiator's time for a command is short, and it does not ask first if the connection
# is alive, so that it comes to its task management functions soon.

# shellcheck disable=SC2154

PING_SECONDS=0
# shellcheck source=lib/outage.sh
. "$(dirname "${BASH_SOURCE[0]}")/outage.sh"

# Read-ahead, say that of udev's, is not repeated by the kernel.
dmesg_expect 'I/O error, dev sd[a-z], sector [0-9]+ op 0x0:\(READ\) flags 0x80700' \
	'Buffer I/O error on dev sd' 'FAILED Result: hostbyte=DID_TIME_OUT|CDB: (Read|Write)'

slow_start()
{
	portals_start
	target_new
	lun_new "$tid" 1 "rdwr:$(disk_file 64M)" --bstype error \
		--bsopts "control=$dir/slow;op=$1;hang=yes"
	acl_bind "$tid" ALL
	guest_start
	writes_start "$here_1:3260"
	guest <<<'echo 3 >"/sys/block/$(</run/disk)/device/timeout"'
}

said()
{
	grep -c "$1" "$tgtd_log" || :
}

# shellcheck disable=SC2317	# wait_for runs it
is_said()
{
	[ "$(said "$2")" -gt "$1" ]
}

says_more()
{
	wait_for "$RECOVERY_SECONDS" is_said "$@" || fail "tgtd does not say '$2' again"
}

slow_hang()
{
	touch "$dir/slow"
}

slow_go_on()
{
	rm "$dir/slow"
	writes_go_on
}
