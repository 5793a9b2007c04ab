#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtd tells systemd when it is ready, and when it ends.
. "$(dirname "$0")/lib/initiators.sh"
need python3

python3 - "$dir/notify" "$dir/said" <<'END' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
while True:
    text = s.recv(4096).decode()
    with open(sys.argv[2], "a") as f:
        f.write(text + "\n")
    if "STOPPING=1" in text:
        break
END
listener=$!
wait_for 10 test -S "$dir/notify" || fail "no listener"
export NOTIFY_SOCKET=$dir/notify
tgtd_start
wait_for 10 grep -q '^READY=1$' "$dir/said" || fail "not READY=1 but $(cat "$dir/said")"
tgtd_stop
wait_for 10 grep -q '^STOPPING=1$' "$dir/said" || fail "not STOPPING=1 but $(cat "$dir/said")"
wait "$listener"
