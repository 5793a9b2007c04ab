# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The first lines of every script that a test runs in the guest.
set -Eeuo pipefail

fail()
{
	trap - ERR
	printf 'FAIL: %s\n' "$*" >&2	# stdout may be a variable's
	exit 1
}

trap 'printf "FAIL: %s (line %s)\n" "$BASH_COMMAND" "$LINENO" >&2' ERR

expect()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# wait_for SECONDS COMMAND...
wait_for()
{
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# settled - udev has made its links; on a busy machine udevadm may be hung up on.
settled()
{
	wait_for 60 eval 'udevadm settle 2>/run/settle' || fail "$(cat /run/settle)"
}

# discover PORTAL - makes the records of nodes; "ADDRESS:PORT,TAG NAME" of each.
discover()
{
	iscsiadm -m discovery -t sendtargets -p "$1"
}

# setting NAME VALUE [IQN] - of the nodes that were discovered.
setting()
{
	iscsiadm -m node ${3:+-T "$3"} -o update -n "$1" -v "$2"
}

# login IQN [PORTAL] - by one portal, or all.
login()
{
	iscsiadm -m node -T "$1" ${2:+-p "$2"} --login >/dev/null &&
		settled
}

logout()
{
	sync
	settled			# udev reads what was written to
	iscsiadm -m node -T "$1" ${2:+-p "$2"} --logout >/dev/null &&
		settled
}

# attach IQN PORTAL LUN - discover and log in by that portal; sets $disk.
attach()
{
	discover "$2" >/dev/null
	login "$1" "$2"
	disk=$(disk_of "$1" "$2" "$3")
}

# disk_of IQN PORTAL LUN - the device.
disk_of()
{
	local link=/dev/disk/by-path/ip-${2//[\[\]]/}-iscsi-$1-lun-$3	# no [] of IPv6

	wait_for 20 test -b "$link" || fail "there is no $link; $(ls /dev/disk/by-path)"
	readlink -f "$link"
}

# End all sessions.
leave()
{
	! mountpoint -q /mnt || umount /mnt
	! pgrep -x multipathd >/dev/null || multipath -F
	if [ -n "$(ls /sys/class/iscsi_session)" ]; then
		settled
		iscsiadm -m node --logoutall=all >/dev/null
	fi
	expect "sessions that are left" "" "$(ls /sys/class/iscsi_session)"
}

# verified FILE - bytes that a fio with --output-format=json --output=FILE read and
# compared.
verified()
{
	sed -n '/"read" : {/,/io_bytes/s/.*"io_bytes" : \([0-9]*\),/\1/p' "$1"
}
