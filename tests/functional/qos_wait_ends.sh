#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What waits for a limit ends at once by an abort, a reset, a logout, a lost connection, or
# the removal of its LUN; and an aborted write has not landed.
. "$(dirname "$0")/lib/initiators.sh"

# One byte a second: nothing here ends by time.
disk 8M --params bw_limit=1,bw_burst=1
python "$(url 1)" "$TGTADM" "$tid" <<'END'
url, tgtadm, tid = sys.argv[1:]

def waiting(s, n=8):
    all = [s.submit(write16(8 * i, 8), write=b"\1" * 4096) for i in range(n)]
    check(s.command(bytes(6)).good, "the session stands still")
    check(all[-1].answer is None, "a write did not wait")
    return all

s = Session(url).ready()
s.read(4096, 8)                                 # what the bucket had
w = waiting(s)
# The first of them has paid, the others have not.
for p in (w[0], w[4], w[7]):
    a = quick("ABORT TASK", lambda: s.abort(p).wait())
    check(a.status == TMF_COMPLETE, "ABORT TASK:", a)
check(w[1].answer is None, "another one was answered")
a = quick("LOGICAL UNIT RESET", lambda: s.reset_lun().wait())
check(a.status == TMF_COMPLETE, "LOGICAL UNIT RESET:", a)
s.destroy()

with Session(url) as s:                         # logout
    s.ready()
    waiting(s)
    quick("logout", s.close)
s = Session(url).ready()                        # the connection goes
waiting(s)
s.drop()
with quick("a login", lambda: Session(url)) as s:
    s.ready()
    w = waiting(s)
    quick("removal", lambda: subprocess.run(
        [tgtadm, *"--lld iscsi --mode logicalunit --op delete --force --lun 1".split(), "--tid", tid],
        check=True))
    for p in w:
        check(p.wait().is_sense(5, 0x2500), "after the removal:", p.answer)
END
cmp -n 65536 "$dir"/disk.* /dev/zero || fail "a write landed that was aborted"

# The daemon ends while commands wait.
disk 8M --params bw_limit=1,bw_burst=1
session_open s "$(url 1)"
tells s good write 0 16 1
printf 'write 0 16 1\n' >&"${session_in[s]}"
tgtd_stop
session_kill s
