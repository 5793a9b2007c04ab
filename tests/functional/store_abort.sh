#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A write that was aborted never lands after its abort was answered: the answer waits
# for a store that is slow.
# alone
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

error_disk 8M 'op=write;at=0;len=8192;delay=500'
touch "$rules_on"
python "$(url 1)" <<'END'
def later():
    """What comes to the store later, and is held as long, is done: so is what came before."""
    for fill in b"\4\5":
        o.write(8, bytes([fill]) * 4096)

with Session(sys.argv[1]) as s, Session(sys.argv[1], "iqn.2001-04.org.example:other") as o:
    s.ready()
    o.ready()
    o.write(24, b"\7" * 4096)                   # no rule there

    # ABORT TASK
    late = s.submit(write16(0, 8), write=b"\1" * 4096)
    check(s.command(bytes(6)).good, "the session stands still")
    a = s.abort(late)
    check(a.wait().status == TMF_COMPLETE, "ABORT TASK:", a.answer)
    check(o.read(0, 8) in (b"\1" * 4096, bytes(4096)), "half a write")
    seen = o.read(0, 8)
    later()
    check(o.read(0, 8) == seen, "the write landed after its abort was answered")

    # LOGICAL UNIT RESET: the other session is told.
    late = s.submit(write16(0, 8), write=b"\2" * 4096)
    check(s.command(bytes(6)).good, "the session stands still")
    r = s.reset_lun()
    check(r.wait().status == TMF_COMPLETE, "LOGICAL UNIT RESET:", r.answer)
    a = o.command(bytes(6))
    check(a.key == UNIT_ATTENTION and a.asc >> 8 == 0x29, "the other session:", a)
    seen = o.ready().read(0, 8)
    later()
    check(o.read(0, 8) == seen, "the write landed after the reset was answered")
    s.ready()
    s.write(16, b"\3" * 4096)
    check(s.read(16, 8) == b"\3" * 4096 and s.read(24, 8) == b"\7" * 4096, "the data is wrong")
    s.destroy()
END
