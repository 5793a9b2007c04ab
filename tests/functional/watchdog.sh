#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtd feeds the service manager's watchdog as long as every reactor answers, and
# not a moment longer.
. "$(dirname "$0")/lib/initiators.sh"
need python3

cat >"$dir/listen.py" <<'END'
"""Listen as a service manager; "stop" and "go" on stdin hold up one reactor."""
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None) == -1:
        sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)

def fed():
    while "WATCHDOG=1" not in s.recv(4096).decode():
        pass

pid = int(open(sys.argv[2]).readline())        # a FIFO: until the daemon is there
for _ in range(3):
    fed()
task = f"/proc/{pid}/task"
reactor = next(int(t) for t in os.listdir(task)
               if open(f"{task}/{t}/comm").read().startswith("reactor"))
ptrace(SEIZE, reactor)
ptrace(INTERRUPT, reactor)
os.waitpid(reactor, WALL)
# What was under way may still arrive; then, for as long as a manager with
# WATCHDOG_USEC waits, nothing does.
s.settimeout(float(sys.argv[3]) / 3)
try:
    s.recv(4096)
except TimeoutError:
    pass
s.settimeout(float(sys.argv[3]))
try:
    sys.exit(f"a reactor is held up, and the manager is told {s.recv(4096)}")
except TimeoutError:
    pass
ptrace(DETACH, reactor)
s.settimeout(60)
fed()
s.close()
END
mkfifo "$dir/pid"
python3 "$dir/listen.py" "$dir/notify" "$dir/pid" 1.5 &
listener=$!
wait_for 10 test -S "$dir/notify" || fail "no listener"
export NOTIFY_SOCKET=$dir/notify WATCHDOG_USEC=1500000
tgtd_start --reactors 3
echo "$tgtd_pid" >"$dir/pid"
wait "$listener"
