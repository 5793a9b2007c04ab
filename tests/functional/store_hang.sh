#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A store that hangs holds up its own LUN and nothing else: other LUNs, new logins,
# tgtadm; aborts and resets are answered meanwhile, and it recovers.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

error_disk 8M 'op=read+write+flush;hang=yes'
lun_new "$tid" 2 "$(disk_file 8M)"
other=$(url 2)
touch "$rules_on"

python "$(url 1)" "$other" "$rules_on" "$TGTADM" <<'END'
url, other, rules, tgtadm = sys.argv[1:]

s = Session(url)
s.ready()
hung = [s.submit(write16(8 * i, 8), write=b"\1" * 4096) for i in range(24)]
hung.append(s.submit(read16(0, 8), read=4096))

# The same session: commands that need no store, and the other LUN.
check(quick("TEST UNIT READY", lambda: s.command(bytes(6))).good, "not ready")
check(quick("INQUIRY", lambda: s.command(inquiry(), 96)).good, "no INQUIRY")
for _ in range(3):
    a = quick("LUN 2", lambda: s.command(write16(0, 8), write=b"\2" * 4096, lun=2))
check(a.good, "LUN 2:", a)

# Another session, a new login, both LUNs.
with quick("a login", lambda: Session(other)) as o:
    o.ready()
    quick("I/O on LUN 2", lambda: o.write(8, b"\3" * 4096))
    check(o.read(8, 8) == b"\3" * 4096, "LUN 2 lies")

# Management.
for call in ("--op show --mode target", "--op stat --mode sys", "--op new --mode target --tid 9 "
             "-T iqn.2001-04.org.example:nine", "--op delete --mode target --tid 9"):
    quick(call, lambda: subprocess.run([tgtadm, *call.split()], check=True,
                                       stdout=subprocess.DEVNULL))

check(all(p.answer is None for p in hung), "a command did not hang")

# Task management is answered; it may not claim that the write cannot land.
a = quick("ABORT TASK", lambda: s.abort(hung[0]).wait())
check(a.status != TMF_COMPLETE, "ABORT TASK claims that a write in the store is gone")
a = quick("LOGICAL UNIT RESET", lambda: s.reset_lun().wait())
check(a.status != TMF_COMPLETE, "LOGICAL UNIT RESET claims that the writes are gone")

# The store comes back.  (What hung may land now, where it was meant to.)
os.unlink(rules)
with quick("a login afterwards", lambda: Session(url)) as o:
    o.ready()
    for _ in range(3):
        quick("a write afterwards", lambda: o.write(1024, b"\4" * 4096))
    check(o.read(1024, 8) == b"\4" * 4096, "the data is not there")
s.destroy()
END
io "$(url 1)" "read -P 4 512k 4k" "write -P 5 1M 1M" "read -P 5 1M 1M"
io "$other" "read -P 2 0 4k" "read -P 3 4k 4k"
