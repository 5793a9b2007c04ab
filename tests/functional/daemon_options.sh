#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Options of tgtd: version, help, wrong ones, pid file, going to the background.
. "$(dirname "$0")/lib/initiators.sh"

# ends CODE TEXT OPTION...
ends()
{
	local code=0 out

	out=$(timeout 10 "$TGTD" "${@:3}" 2>&1 </dev/null) || code=$?
	expect "exit of tgtd ${*:3}" "$1" "$code"
	[[ $out == *"$2"* ]] || fail "tgtd ${*:3}: $out"
}

ends 0 . --version
[[ $("$TGTD" -V) =~ ^[0-9]+(\.[0-9]+)+$ ]] || fail "version: $("$TGTD" -V)"
ends 0 --control-port --help
ends 0 --iscsi -h
ends 1 "'bogus' is an unknown option" --bogus
ends 1 'tgtd --help' --bogus
ends 22 "-C argument value 'abc' invalid" -C abc
ends 22 "-C argument value '-1' invalid" -C -1
for wrong in portal=127.0.0.1:99999 portal=not/an/address:0 'portal=[::1:0' bogus=1 nop_interval=x; do
	code=0
	timeout 10 "$TGTD" -f --iscsi "$wrong" </dev/null >"$dir/out" 2>&1 || code=$?
	case $code in
	0|124) fail "--iscsi $wrong: exit $code" ;;
	esac
	[ -s "$dir/out" ] || fail "--iscsi $wrong: not a word"
done

# Open files: as many as it may have.
ulimit -Sn 256
tgtd_start --pid-file "$dir/pid" --iscsi portal=127.0.0.1:0,nop_interval=11,nop_count=4
read -r soft hard < <(sed -n 's/^Max open files *//p' "/proc/$tgtd_pid/limits")
[ "$soft" -ge "$(ulimit -Hn)" ] || [ "$soft" -ge 1048576 ] ||
	fail "the limit of open files is $soft of ${hard% *}"
expect "pid file" "$tgtd_pid" "$(cat "$dir/pid")"
target_new
has "$(show target --tid "$tid")" nop_interval=11
has "$(show target --tid "$tid")" nop_count=4
tgtd_stop
[ ! -e "$dir/pid" ] || fail "the pid file is left behind"

# Without -f it returns when it serves, and runs on in the background.
timeout 20 "$TGTD" --pid-file "$dir/pid" --iscsi portal=127.0.0.1:0 </dev/null >"$dir/out" 2>&1
adm --mode system --op show >"$dir/out"
pid=$(cat "$dir/pid")
running "$pid" || fail "no process $pid"
[ "$(ps -o sid= -p "$pid" | tr -d ' ')" != "$(ps -o sid= -p $$ | tr -d ' ')" ] ||
	fail "it is still in our session"
kill -TERM "$pid"
wait_for 10 eval "! running $pid" || fail "it runs on after SIGTERM"
