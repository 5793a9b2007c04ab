#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SIGTERM while management clients ask for counters without a pause: what was asked
# of the reactors is answered before they end, and nothing leaks.
# alone
. "$(dirname "$0")/lib/initiators.sh"

for round in 1 2 3 4 5; do
	tgtd_start
	python "$(find "$dir" -name 'socket.*' ! -name '*.lock')" "$tgtd_pid" <<'END'
import signal, socket, threading
path, pid = sys.argv[1:]
asked = threading.Semaphore(0)

def ask():
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(20)
    c.connect(path)
    f = c.makefile("rb")
    try:
        while True:
            c.sendall(b'{"jsonrpc":"2.0","id":1,"method":"system.stat"}\n' * 20)
            for _ in range(20):
                if not f.readline():
                    return
            asked.release()
    except (BrokenPipeError, ConnectionResetError):
        pass

threads = [threading.Thread(target=ask) for _ in range(6)]
for t in threads:
    t.start()
for _ in range(24):
    check(asked.acquire(timeout=20), "no answers")
os.kill(int(pid), signal.SIGTERM)
for t in threads:
    t.join()
END
	wait_for "$STOP_SECONDS" eval "! running $tgtd_pid" || fail "tgtd runs on"
	code=0
	wait "$tgtd_pid" || code=$?
	tgtd_pid=
	expect "round $round: exit code" 0 "$code"
	no_report || fail "a sanitizer complains"
done
