# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests.  First lines of one:
#
#	#!/bin/bash
#	# SPDX-License-Identifier: BSD-3-Clause
#	# What this test shows.
#	. "$(dirname "$0")/../lib/common.sh"
#
#	tgtd_start			# sets $portal (127.0.0.1:PORT), $port
#	target_new			# sets $tid, $iqn
#	lun_new "$tid" 1 "$(disk_file 64M)"
#	acl_bind "$tid" ALL
#	iscsi-inq "$(url 1)"
#
# Any command that fails ends the test as failed; so does a tgtd that crashed,
# leaked, or does not end cleanly.  $dir is the test's own directory, gone at
# the end.

# The variables and optional arguments are for the tests:
# shellcheck disable=SC2034,SC2119,SC2120

set -Eeuo pipefail

SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$SRC/build}
TGTD=${TGTD:-$BUILD/tgtd}
TGTADM=${TGTADM:-$BUILD/tgtadm}

START_SECONDS=30
STOP_SECONDS=10
POLL_SECONDS=0.05

export PATH=$PATH:/usr/sbin:/sbin
dir=$(mktemp -d "${TMPDIR:-/tmp}/tgtd-test.XXXXXX")
export TGT_IPC_SOCKET=$dir/socket

tgtd_pid=			# empty: none runs
tgtd_log=$dir/tgtd.log
port='' portal='' tid='' iqn=''
next_tid=1

# --- verdicts ---------------------------------------------------------------

fail()
{
	trap - ERR
	printf 'FAIL: %s\n' "$*"
	exit 1
}

# The reason is the last line: it is what the runner shows.
skip()
{
	trap - ERR
	skip_reason=$*
	exit 77
}
skip_reason=

note()
{
	printf '%s\n' "-- $*"
}

# need COMMAND... - skip if one is not there.
need()
{
	local c

	for c in "$@"; do
		command -v "$c" >/dev/null || skip "$c is not installed"
	done
}

# wait_for SECONDS COMMAND... - until it succeeds; 1 if that never was.
wait_for()
{
	local deadline=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep "$POLL_SECONDS"
	done
}

# expect WHAT WANTED GOT
expect()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# --- the daemon -------------------------------------------------------------

adm()
{
	"$TGTADM" --lld iscsi "$@"
}

# adm_fails EXIT TEXT ARGS... - tgtadm must end so, with TEXT in its stderr.
adm_fails()
{
	local code=$1 text=$2 got=0 err

	shift 2
	err=$(adm "$@" 2>&1 >/dev/null) || got=$?
	[ "$got" -eq "$code" ] || fail "tgtadm $*: exit $got, expected $code ($err)"
	[[ $err == *"$text"* ]] || fail "tgtadm $*: said '$err', expected '$text'"
}

# A zombie does not run.
running()
{
	local stat

	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	stat=${stat##*) }
	[[ ${stat%% *} != [ZX] ]]
}

first_portal()
{
	adm --mode portal --op show 2>/dev/null |
		sed -n 's/^Portal: \(.*\),[0-9]*$/\1/p' | head -n 1
}

started_or_dead()
{
	if ! running "$tgtd_pid"; then
		return 0
	fi
	adm --mode system --op show >/dev/null 2>&1 || return 1
	portal=$(first_portal) || return 1
	[ -n "$portal" ]
}

# tgtd_start [OPTION...] - on a free port, unless OPTION has --iscsi.
tgtd_start()
{
	[ -z "$tgtd_pid" ] || fail "tgtd_start: one is running already"
	[ -x "$TGTD" ] || fail "$TGTD: not built"
	[[ " $* " == *" --iscsi"* ]] || set -- --iscsi portal=127.0.0.1:0 "$@"
	portal=
	if [[ " $* " != *" --state-dir"* ]]; then
		install -d -m 1777 "$dir/state"		# whoever tgtd runs as
		set -- --state-dir "$dir/state" "$@"
	fi
	"$TGTD" -f "$@" </dev/null >>"$tgtd_log" 2>&1 &
	tgtd_pid=$!
	wait_for "$START_SECONDS" started_or_dead ||
		fail "tgtd is not ready after $START_SECONDS s"
	[ -n "$portal" ] || fail "tgtd ended at its start"
	port=${portal##*:}
}

# Returns 1 and says why if something is wrong with how it ended.
tgtd_end()
{
	local pid=$tgtd_pid code=0

	tgtd_pid=
	kill -TERM "$pid" 2>/dev/null || :
	if ! wait_for "$STOP_SECONDS" eval "! running $pid"; then
		printf 'FAIL: tgtd still runs %s s after SIGTERM\n' "$STOP_SECONDS"
		kill -KILL "$pid"
		wait "$pid" || :
		return 1
	fi
	wait "$pid" || code=$?
	if [ "$code" -ne 0 ]; then
		printf 'FAIL: tgtd ended with %s\n' "$code"
		return 1
	fi
	no_report
}

no_report()
{
	if grep -E 'ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer|: runtime error: ' \
		"$tgtd_log"; then
		printf 'FAIL: a sanitizer has something to say\n'
		return 1
	fi
}

# Stop it in the midst of a test; tgtd_start may follow.
tgtd_stop()
{
	tgtd_end || fail "tgtd did not end cleanly"
}

# For tests of what a crash leaves behind.
tgtd_kill()
{
	local pid=$tgtd_pid

	tgtd_pid=
	kill -KILL "$pid"
	wait "$pid" || :
}

# --- targets ----------------------------------------------------------------

# target_new [NAME] - sets $tid and $iqn.
target_new()
{
	tid=$((next_tid++))
	iqn=${1:-iqn.2001-04.org.example:test.$tid}
	adm --mode target --op new --tid "$tid" --targetname "$iqn"
}

# lun_new TID LUN PATH [OPTION...] - of type $BSTYPE, opened with $BSOFLAGS and $BSOPTS,
# unless OPTION says otherwise.
lun_new()
{
	local args=("${@:4}")

	[[ -z ${BSTYPE:-} || " $* " == *" --bstype "* ]] || args+=(--bstype "$BSTYPE")
	[[ -z ${BSOFLAGS:-} || " $* " == *" --bsoflags "* || " $* " == *" --bstype "* ]] ||
		args+=(--bsoflags "$BSOFLAGS")
	[[ -z ${BSOPTS:-} || " $* " == *" --bsopts "* || " $* " == *" --bstype "* ]] ||
		args+=(--bsopts "$BSOPTS")
	adm --mode logicalunit --op new --tid "$1" --lun "$2" --backing-store "$3" "${args[@]}"
}

# acl_bind TID ADDRESS
acl_bind()
{
	adm --mode target --op bind --tid "$1" --initiator-address "$2"
}

# disk_file SIZE - prints the path of a new sparse file.
disk_file()
{
	local path

	path=$(mktemp "$dir/disk.XXXXXX")
	truncate -s "$1" "$path"
	printf '%s\n' "$path"
}

# url [LUN] - of the newest target, or of one of its LUNs.
url()
{
	printf 'iscsi://%s/%s%s\n' "$portal" "$iqn" "${1:+/$1}"
}

# disk - the common case: a daemon with a target whose LUN 1 is SIZE large.
# disk SIZE [LUN-OPTION...]
disk()
{
	[ -n "$tgtd_pid" ] || tgtd_start
	target_new
	lun_new "$tid" 1 "$(disk_file "$1")" "${@:2}"
	acl_bind "$tid" ALL
}

# --- the end ----------------------------------------------------------------

# What else a test has started: commands that end it, run after tgtd has ended.  One
# that fails fails the test.
at_end=()

at_exit()
{
	local code=$? command

	trap - EXIT ERR
	set +e
	if [ -n "$tgtd_pid" ]; then
		# A signal for us (the runner's timeout) was for it, too.
		if [ "$code" -lt 128 ] && ! running "$tgtd_pid"; then
			echo 'FAIL: tgtd died during the test'
			code=1
		fi
		tgtd_end || code=1
	else
		no_report || code=1
	fi
	if [ "$code" -ne 0 ] && [ "$code" -ne 77 ] && [ -s "$tgtd_log" ]; then
		echo '-- what tgtd wrote:'
		tail -n 300 "$tgtd_log"
	fi
	for command in "${at_end[@]}"; do
		"$command" || code=1
	done
	rm -rf "$dir"
	[ "$code" -ne 77 ] || printf '%s\n' "${skip_reason:-skipped}"
	exit "$code"
}

trap 'printf "FAIL: %s line %s: %s\n" "$0" "$LINENO" "$BASH_COMMAND"' ERR
trap at_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
: >"$tgtd_log"
