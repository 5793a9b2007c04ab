#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SIGTERM while a store hangs: the daemon ends within bounds all the same.
# alone
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

error_disk 8M 'op=write;hang=yes'
touch "$rules_on"
python "$(url 1)" "$tgtd_pid" "$dir/killed" <<'END'
import signal
s = Session(sys.argv[1])
s.ready()
p = s.submit(write16(0, 8), write=bytes(4096))
check(s.command(bytes(6)).good and p.answer is None, "it does not hang")
open(sys.argv[3], "w").close()
os.kill(int(sys.argv[2]), signal.SIGTERM)
try:
    p.wait(10)
except IscsiError:
    pass
s.destroy()
END
ended_within 5
[ "$code" -lt 128 ] || fail "it ended by a signal: $code"
