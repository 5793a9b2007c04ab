# SPDX-License-Identifier: BSD-3-Clause
"""outage.py URL OUTAGE-SECONDS stalls|goes-on FILE - see outage.sh.

Writes to LUN 1 and looks at LUN 2 meanwhile; says "begin" and "end" where the fault is to
begin and to end, each of which is answered with a line when that has happened.  What was
acknowledged is in the file: 8 bytes of slot and 512 of data each.
"""
import random
import sys
import time

from libiscsi import *

SLOTS, BLOCKS, WINDOW = 512, 128, 8     # a slot is an object
random.seed(5)
url, outage, stalls = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "stalls"
s = Session(url + "/1").ready()
lib.iscsi_set_timeout(s.ctx, 120)       # longer than the outage
o = Session(url + "/2", "iqn.2001-04.org.example:file").ready()
kept = {}                               # slot: what was acknowledged last
doubtful = set()                        # slots of aborted writes, which may still land
flying = {}                             # slot: (command, data)
nr_acked = 0


def content(slot, n):
    return (b"%08d %08d " % (slot, n) * 16)[:256] * 2


def turn(may_start=True):
    """Take the answers; keep WINDOW writes on their way."""
    global nr_acked
    for slot, (w, data) in list(flying.items()):
        if w.answer is not None:
            check(w.wait().good, "slot", slot, w.answer)
            kept[slot] = data
            del flying[slot]
            nr_acked += 1
    while may_start and len(flying) < WINDOW:
        slot = random.choice([n for n in range(SLOTS) if n not in flying and n not in doubtful])
        turn.n += 1
        data = content(slot, turn.n)
        flying[slot] = s.submit(write16(slot * BLOCKS, 1), write=data), data
    s.serve(0.05)


turn.n = 0


def ask(word):
    print(word, flush=True)
    check(sys.stdin.readline() == word + "\n", "the shell is gone")


def until_acked(n, seconds):
    deadline = time.monotonic() + seconds
    while nr_acked < n:
        check(time.monotonic() < deadline, "hangs:", nr_acked, "of", n, "written,", flying)
        turn()


until_acked(200, 60)
ask("begin")
began, before, others = time.monotonic(), nr_acked, 0
aborted = False
while time.monotonic() < began + outage:
    turn()
    o.write(others % 4096, others.to_bytes(8, "big") * 64)
    check(o.read(others % 4096, 1) == others.to_bytes(8, "big") * 64)
    others += 1
    if stalls and not aborted and time.monotonic() > began + outage / 2:
        # All that is on its way waits by now.  A write with which that is so may be
        # carried out yet, and the answer says so.
        slot, (w, data) = next(iter(flying.items()))
        a = s.abort(w)
        while a.answer is None:
            turn(False)
        aborted = True
        check(a.seconds < 5, "an abort took", a.seconds)
        check(a.answer.status == TMF_REJECTED, a.answer)
        del flying[slot]
        doubtful.add(slot)
        kept.pop(slot, None)
        print("an abort took %.3f s" % a.seconds, file=sys.stderr)
print(nr_acked - before, "writes to the image and", others, "to the file in", outage, "s",
      file=sys.stderr)
check(others >= 20, "the other disk stood still:", others)
if stalls:
    check(len(flying) > 0)
else:
    check(nr_acked - before >= 20, "it stood still:", nr_acked - before)
ask("end")
until_acked(nr_acked + 200, 90)
deadline = time.monotonic() + 60
while flying:
    check(time.monotonic() < deadline, "hang for ever:", flying)
    turn(False)
for slot, data in kept.items():
    got = s.read(slot * BLOCKS, 1)
    check(got == data, "slot", slot, "has", got[:18], "not", data[:18])
with open(sys.argv[4], "wb") as f:
    for slot, data in sorted(kept.items()):
        f.write(slot.to_bytes(8, "big") + data)
s.close()
o.close()
