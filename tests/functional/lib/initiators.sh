# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests: common.sh, and ways to be an initiator.
#
#	io URL COMMAND...		qemu-io; each must succeed
#	io_fails URL COMMAND...		...must fail; what it said is in $dir/io.out
#	session_open NAME URL [INITIATOR]   a session that stays (lib/session.py)
#	ask NAME COMMAND...		sets $reply
#	tells NAME REPLY COMMAND...	the reply must be that
#	session_close NAME
#	python ARG... <<'EOF'		with lib/libiscsi.py imported

# shellcheck source=../lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/common.sh"

lib=$SRC/tests/functional/lib
export PYTHONPATH=$lib${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1
REPLY_SECONDS=90

# --- single commands --------------------------------------------------------

qemu_io()
{
	local url=$1 c args=()

	shift
	for c; do
		args+=(-c "$c")
	done
	qemu-io -d unmap -f raw "${args[@]}" "$url" >"$dir/io.out" 2>&1
}

io()
{
	if ! qemu_io "$@"; then
		cat "$dir/io.out"
		fail "qemu-io $*"
	fi
}

io_fails()
{
	if qemu_io "$@"; then
		cat "$dir/io.out"
		fail "qemu-io $*: it succeeded"
	fi
}

# refuses_login URL WHY [LIBISCSI-TOOL-OPTION...]
refuses_login()
{
	local out

	if out=$(iscsi-inq "${@:3}" "$1" 2>&1); then
		fail "$1: login succeeded, $2"
	fi
	[[ $out == *"Failed to log"* || $out == *"Login Failed"* || $out == *"failed"* ]] ||
		fail "$1: $out"
}

logs_in()
{
	local out

	out=$(iscsi-inq "${@:2}" "$1" 2>&1) || fail "$1: $out"
}

python()
{
	local prelude='from libiscsi import *
import os, subprocess, sys, time
'
	python3 <(printf '%s' "$prelude"; cat) "$@"
}

# --- sessions that stay -----------------------------------------------------

declare -A session_in session_out session_pid
reply=

session_open()
{
	local in out fd

	mkfifo "$dir/$1.in" "$dir/$1.out"
	# Without the pipes of the others, which would not end with them.
	(
		for fd in "${session_in[@]}" "${session_out[@]}"; do
			exec {fd}>&-
		done
		exec python3 "$lib/session.py" "${@:2}" <"$dir/$1.in" >"$dir/$1.out"
	) &
	session_pid[$1]=$!
	exec {in}>"$dir/$1.in" {out}<"$dir/$1.out"
	session_in[$1]=$in session_out[$1]=$out
	session_reply "$1"
	[ "$reply" = ready ] || fail "session $1 (${*:2}): $reply"
}

session_reply()
{
	reply=
	read -t "$REPLY_SECONDS" -r -u "${session_out[$1]}" reply ||
		fail "session $1: no reply"
}

ask()
{
	printf '%s\n' "${*:2}" >&"${session_in[$1]}"
	session_reply "$1"
}

tells()
{
	ask "$1" "${@:3}"
	expect "session $1: ${*:3}" "$2" "$reply"
}

session_forget()
{
	local in=${session_in[$1]} out=${session_out[$1]}

	exec {in}>&- {out}<&-
	wait "${session_pid[$1]}" 2>/dev/null || :
	rm -f "$dir/$1.in" "$dir/$1.out"
	unset "session_in[$1]" "session_out[$1]" "session_pid[$1]"
}

session_close()
{
	ask "$1" logout
	session_forget "$1"
}

# As a power cut would: the kernel closes its socket.
session_kill()
{
	kill -KILL "${session_pid[$1]}"
	session_forget "$1"
}

# --- what tgtadm says -------------------------------------------------------

# show MODE [OPTION...]
show()
{
	adm --mode "$1" --op show "${@:2}"
}

# has TEXT LINE WHAT - LINE is a whole line of TEXT.
has()
{
	grep -qxF -e "$2" <<<"$1" || fail "${3:-output}: no line '$2' in: $1"
}

has_not()
{
	! grep -qxF -e "$2" <<<"$1" || fail "${3:-output}: line '$2' in: $1"
}

nr_sessions()
{
	show conn --tid "$1" | grep -c '^Session: ' || :
}

# says CODE STDERR ARG... - what tgtadm ends with, its errors byte for byte,
# and nothing on stdout.
says()
{
	local code=0

	"$TGTADM" "${@:3}" >"$dir/says.out" 2>"$dir/says.err" </dev/null || code=$?
	[ "$code" -eq "$1" ] ||
		fail "tgtadm ${*:3}: exit $code, expected $1: $(cat "$dir/says.err")"
	printf '%s' "${2:+$2
}" | cmp -s - "$dir/says.err" ||
		fail "tgtadm ${*:3}: said '$(cat "$dir/says.err")', expected '$2'"
	[ "$code" -eq 0 ] || [ ! -s "$dir/says.out" ] ||
		fail "tgtadm ${*:3}: stdout: $(cat "$dir/says.out")"
}

# The same where a sentence may follow that says more: a first line that is to
# be byte for byte.
says_first()
{
	local code=0

	"$TGTADM" "${@:3}" >"$dir/says.out" 2>"$dir/says.err" </dev/null || code=$?
	[ "$code" -eq "$1" ] ||
		fail "tgtadm ${*:3}: exit $code, expected $1: $(cat "$dir/says.err")"
	expect "tgtadm ${*:3}" "$2" "$(head -n 1 "$dir/says.err")"
}

# ended_within SECONDS - tgtd was sent SIGTERM when the file $dir/killed was
# written; sets $code.  Instrumented code may take longer.
ended_within()
{
	local ms limit_ms=$(($1 * 1000))

	[ -z "${SAN:-}" ] || limit_ms=$((limit_ms * 4))
	wait_for 60 eval "! running $tgtd_pid" || fail "tgtd runs on"
	ms=$((($(date +%s%N) - $(date -r "$dir/killed" +%s%N)) / 1000000))
	[ "$ms" -le "$limit_ms" ] || fail "tgtd took $ms ms to end"
	code=0
	wait "$tgtd_pid" || code=$?
	tgtd_pid=
}

# --- stores that fail -------------------------------------------------------

# error_disk SIZE RULES - a target whose LUN 1 is a file under bs_error; the
# rules apply while the file $rules_on exists (it does not, at first).
rules_on=''
error_disk()
{
	rules_on=$dir/rules-on
	[ -n "$tgtd_pid" ] || tgtd_start
	target_new
	lun_new "$tid" 1 "${BSTYPE:-rdwr}:$(disk_file "$1")" --bstype error \
		--bsopts "control=$rules_on;$2"
	acl_bind "$tid" ALL
}
