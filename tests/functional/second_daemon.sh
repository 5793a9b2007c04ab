#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A second daemon on the same control port ends with a word; the first goes on.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
session_open s "$(url 1)"
code=0
timeout 10 "$TGTD" -f --iscsi portal=127.0.0.1:0 >"$dir/out" 2>&1 || code=$?
expect "exit code of the second" 1 "$code"
grep -qF "another tgtd is using $TGT_IPC_SOCKET.0.lock" "$dir/out" || fail "$(cat "$dir/out")"
tells s good check
has "$(show target)" "Target $tid: $iqn"
session_close s

# Another control port is another daemon.
"$TGTD" -f -C 7 --iscsi portal=127.0.0.1:0 >>"$tgtd_log" 2>&1 &
second=$!
answers()
{
	adm -C 7 --mode system --op show >/dev/null 2>&1
}
wait_for 20 answers || fail "the daemon on control port 7 does not answer"
[ -S "$TGT_IPC_SOCKET.7" ] || fail "no socket $TGT_IPC_SOCKET.7"
expect "its targets" "" "$(adm -C 7 --mode target --op show)"
kill -TERM "$second"
wait "$second"

# After a crash a new one takes over the socket.
tgtd_kill
tgtd_start
expect "targets after a crash" "" "$(show target)"
