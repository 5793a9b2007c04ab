#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Command numbering and the window, RFC 7143 4.2.2.1 and 11.4.10 to 11.4.11."""

import random
import sys

import pdu
import scsi
from daemon import Daemon
from expect import condition, good
from harness import Suite, among, check, equal, until
from pdu import Pdu
from session import ORDERED, Session, serial_lt

suite = Suite()

LBA = 4096


class Numbered(Session):
    """A session whose commands leave when and with the number that the test says."""

    def queue(self, cdb, cmdsn, out=b"", read=0, immediate=False, attr=ORDERED):
        """A command as bytes to send later; its task is registered on send_now()."""
        self.cmdsn, after = cmdsn, self.cmdsn
        sent = []
        self.conn.send, really = lambda p, **how: sent.append(p), self.conn.send
        try:
            t = self.start(cdb, out=out, read=read, immediate=immediate, attr=attr,
                           immediate_data=len(out))
        finally:
            self.conn.send, self.cmdsn = really, after
        t.pdu = sent[0]
        return t

    def send_now(self, t):
        self.conn.send(t.pdu)
        return t

    def quiet(self, *tasks):
        """A ping passes; none of @tasks was answered."""
        self.nop()
        for t in tasks:
            check(not t.done, f"answered ahead of its turn, or twice: {t}")


def opened(b, **how):
    s = Numbered(b.addr, b.iqn, **how)
    s.clear_ua()
    return s


def block(n):
    return bytes([n & 0xFF]) * 512


# -- numbers ------------------------------------------------------------------

@suite.case
def login_sets_the_window(b):
    """11.13: ExpCmdSN is the CmdSN of the login, MaxCmdSN opens at least one command."""
    for first in (1, 0, 0x12345678, 0x7FFFFFFF, 0xFFFFFFFF):
        with Session(b.addr, b.iqn, cmdsn=first) as s:
            equal(s.exp_cmdsn, first, "ExpCmdSN")
            window = (s.max_cmdsn - s.exp_cmdsn + 1) & 0xFFFFFFFF
            check(0 < window < 65536, f"a window of {window}")
            s.clear_ua()


@suite.case
def non_immediate_advances(b):
    with opened(b) as s:
        for send in (lambda: s.scsi(scsi.tur()), lambda: s.nop(immediate=False),
                     lambda: s.text({"X-a": "1"}), lambda: s.tmf(2, immediate=False)):
            before = s.cmdsn
            send()
            equal(s.exp_cmdsn, before + 1, "ExpCmdSN after one command")


@suite.case
def immediate_does_not_advance(b):
    with opened(b) as s:
        before = s.exp_cmdsn
        s.nop()
        s.scsi(scsi.tur(), immediate=True)
        s.tmf(2)
        s.text({"X-a": "1"}, immediate=True)
        equal(s.exp_cmdsn, before, "ExpCmdSN after immediate requests only")


@suite.cases([("wrap", 0xFFFFFFF0), ("sign", 0x7FFFFFF0)])
def serial_arithmetic(b, first):
    """RFC 1982: numbers pass 2**31 and 2**32 like any other."""
    with opened(b, cmdsn=first) as s:
        for n in range(40):
            s.write(LBA + n, block(n))
        for x in [s.start(scsi.read(LBA + n, 1), read=512) for n in range(40)]:
            good(s.finish(x))
        check(s.read(LBA + 20, 1) == block(20), "the block differs")


# -- order --------------------------------------------------------------------

@suite.case
def later_command_waits(b):
    """4.2.2.1: commands are delivered in the order of CmdSN."""
    with opened(b) as s:
        n = s.cmdsn
        first = s.queue(scsi.write(LBA, 1), n, out=block(1))
        second = s.queue(scsi.write(LBA, 1), n + 1, out=block(2))
        s.send_now(second)
        s.cmdsn = n
        s.quiet(first, second)
        equal(s.exp_cmdsn, n, "ExpCmdSN while its command is missing")
        s.send_now(first)
        s.cmdsn = n + 2
        good(s.finish(first))
        good(s.finish(second))
        check(s.read(LBA, 1) == block(2), "executed in the order of arrival")


@suite.cases([(f"seed_{n}", n) for n in range(3)] + [("reverse", None)])
def any_permutation(b, seed):
    """Thirty writes to one block arrive shuffled; the last number wins."""
    with opened(b, cmdsn=0xFFFFFFF5) as s:
        n, count = s.cmdsn, 30
        tasks = [s.queue(scsi.write(LBA, 1), (n + i) & 0xFFFFFFFF, out=block(i))
                 for i in range(count)]
        order = list(reversed(tasks))
        if seed is not None:
            random.Random(seed).shuffle(order)
        for t in order:
            s.send_now(t)
        s.cmdsn = (n + count) & 0xFFFFFFFF
        for t in tasks:
            good(s.finish(t))
        check(s.read(LBA, 1) == block(count - 1), "the last in order is not the last executed")


@suite.case
def whole_window_held_and_reopened(b):
    """All but the first of a window, then the first: all run, the window moves on."""
    with opened(b) as s:
        for _ in range(3):
            n = s.cmdsn
            size = (s.max_cmdsn - n + 1) & 0xFFFFFFFF
            tasks = [s.queue(scsi.read(i, 1), (n + i) & 0xFFFFFFFF, read=512)
                     for i in range(size)]
            for t in tasks[1:]:
                s.send_now(t)
            s.cmdsn = n
            s.quiet(*tasks)
            s.send_now(tasks[0])
            s.cmdsn = (n + size) & 0xFFFFFFFF
            for t in tasks:
                good(s.finish(t))
            s.nop()
            check(not serial_lt(s.max_cmdsn, s.cmdsn), "the window did not reopen")


@suite.case
def immediate_passes_a_gap(b):
    """4.2.2.1: immediate commands do not wait for missing numbers."""
    with opened(b) as s:
        n = s.cmdsn
        first = s.queue(scsi.tur(), n)
        held = s.queue(scsi.tur(), n + 1)
        s.send_now(held)
        s.cmdsn = n
        good(s.scsi(scsi.tur(), immediate=True))
        s.cmdsn = n + 2
        good(s.scsi(scsi.tur(), immediate=True))
        s.quiet(held)
        s.send_now(first)
        good(s.finish(first))
        good(s.finish(held))


# -- what must be ignored -----------------------------------------------------

@suite.case
def duplicate_is_ignored(b):
    """4.2.2.1: the target MUST silently ignore duplicates."""
    with opened(b) as s:
        n = s.cmdsn
        first = s.send_now(s.queue(scsi.write(LBA, 1), n, out=block(1)))
        s.cmdsn = n + 1
        good(s.finish(first))
        again = s.send_now(s.queue(scsi.write(LBA, 1), n, out=block(9)))
        s.quiet(again)
        check(s.read(LBA, 1) == block(1), "a duplicate was executed")


@suite.case
def duplicate_of_a_held_one_is_ignored(b):
    with opened(b) as s:
        n = s.cmdsn
        first = s.queue(scsi.tur(), n)
        held = s.send_now(s.queue(scsi.write(LBA, 1), n + 1, out=block(3)))
        double = s.send_now(s.queue(scsi.write(LBA, 1), n + 1, out=block(4)))
        s.cmdsn = n
        s.quiet(held, double)
        s.send_now(first)
        s.cmdsn = n + 2
        good(s.finish(first))
        s.wait(lambda: held.done or double.done)
        s.nop()
        check(held.done != double.done, "both of one number were executed")
        check(s.read(LBA, 1) == block(3 if held.done else 4), "the other one's data is there")


def _outside(s):
    exp, top = s.exp_cmdsn, s.max_cmdsn
    return {"below": exp - 1, "far_below": exp - 1000, "above": top + 1, "far_above": top + 1000,
            "opposite": exp + 0x80000000, "nearly_opposite": exp + 0x7FFFFFFF}


@suite.cases([(n, n) for n in ("below", "far_below", "above", "far_above", "opposite",
                               "nearly_opposite")])
def outside_the_window_is_ignored(b, where):
    """4.2.2.1: "MUST silently ignore any non-immediate command outside of this range"."""
    with opened(b) as s:
        s.write(LBA, block(7))
        n = s.cmdsn
        bad = s.queue(scsi.write(LBA, 1), n, out=block(8))
        bad.pdu.cmdsn = _outside(s)[where]
        s.send_now(bad)
        s.cmdsn = n
        s.quiet(bad)
        check(s.read(LBA, 1) == block(7), "an ignored write was executed")


@suite.cases([(pdu.NAMES[op].replace(" ", "_"), op) for op in
              (pdu.NOP_OUT, pdu.TEXT_REQ, pdu.TMF_REQ, pdu.LOGOUT_REQ)])
def other_requests_outside_are_ignored(b, opcode):
    with opened(b) as s:
        p = Pdu(opcode, flags=pdu.FINAL | (2 if opcode == pdu.TMF_REQ else 0), itt=0x7654,
                cmdsn=s.max_cmdsn + 5, exp_statsn=s.exp_statsn)
        if opcode in (pdu.NOP_OUT, pdu.TEXT_REQ):
            p.ttt = pdu.NO_TAG
        s.conn.send(p)
        s.nothing_came()


@suite.case
def ignored_write_with_unsolicited_data(b):
    """The data of a command that was ignored is dropped (or rejected) with it."""
    target = b.d.target(InitialR2T="No")
    with Numbered(b.addr, target.name, {"InitialR2T": "No", "ImmediateData": "No"}) as s:
        s.clear_ua()
        s.write(LBA, block(1))
        bad = Pdu(pdu.SCSI_CMD, flags=0x20 | 1, itt=0x999, edtl=512, cdb=scsi.write(LBA, 1),
                  lun=pdu.lun_field(1), cmdsn=s.max_cmdsn + 3, exp_statsn=s.exp_statsn)
        s.conn.send(bad)
        s.conn.send(Pdu(pdu.DATA_OUT, data=block(2), itt=0x999, ttt=pdu.NO_TAG, flags=pdu.FINAL,
                        lun=pdu.lun_field(1), exp_statsn=s.exp_statsn))
        s.nop()
        check(s.read(LBA, 1) == block(1), "an ignored write was executed")


# -- bounds -------------------------------------------------------------------

@suite.cases([("1", 1), ("4", 4), ("128", 128)])
def max_queue_cmd(b, size):
    """MaxQueueCmd of the target bounds the window."""
    target = b.d.target(mb=1, MaxQueueCmd=size)
    with Session(b.addr, target.name) as s:
        s.clear_ua()
        s.log = []
        tasks = [s.start(scsi.read(n % 64, 1), read=512) for n in range(300)]
        for t in tasks:
            good(s.finish(t))
        for p in s.log:
            window = (p.max_cmdsn - p.exp_cmdsn + 1) & 0xFFFFFFFF
            check(window <= size, f"a window of {window}")
        s.nop()
        equal((s.max_cmdsn - s.exp_cmdsn + 1) & 0xFFFFFFFF, size, "the window when idle")


@suite.case
def the_window_follows_memory(b):
    """What the sessions may send unasked fits into the memory that is kept for it: with --memory 64M
    that is 16 MiB, for 64 KiB (FirstBurstLength) of each command in all windows.  Windows that
    were large when there were few sessions cannot be taken back: once 32 MiB are promised, new
    ones are a quarter of what is fair."""
    def later(promised, number):
        windows = []
        for n in range(2, number + 1):
            fair = 256 // n
            windows.append(min(32, fair, max(512 - promised, fair // 4, 1)))
            promised += windows[-1]
        return windows

    def window(s):
        s.nop()
        return (s.max_cmdsn - s.exp_cmdsn + 1) & 0xFFFFFFFF

    def use(s):
        for _ in range(200):
            good(s.scsi(scsi.tur()))
        return window(s)
    unasked = {"InitialR2T": "No", "ImmediateData": "Yes", "FirstBurstLength": "65536"}
    asked = {"InitialR2T": "Yes", "ImmediateData": "No"}
    with Daemon(args=("--reactors", "1", "--memory", "64M")) as d:
        t = d.target(mb=1)
        first = Session(d.addr, t.name, unasked)
        equal(window(first), 32, "the window of a session that has not sent anything")
        first.clear_ua()
        equal(use(first), 128, "the window of the only session")
        others = [Session(d.addr, t.name, unasked) for _ in range(63)]
        equal([window(s) for s in others], later(128, 64), "windows of those that came later")
        equal(window(first), 128, "what was promised")
        equal(use(first), 4, "the window of the first, with 64 sessions")
        with Session(d.addr, t.name, asked) as s:
            equal(window(s), 128, "the window of a session that sends nothing unasked")
        for s in others:
            s.close()
        until("the window opens again", lambda: window(first) == 128)
        first.close()


@suite.case
def many_immediate_commands(b):
    """Immediate commands know no window: done, or refused by Reject 0x06 (too many immediate
    commands), BUSY or TASK SET FULL; each one is answered."""
    with opened(b) as s:
        for _ in range(10):
            tasks = [s.start(scsi.read(0, 8), read=4096, immediate=True) for _ in range(200)]
            for t in tasks:
                s.wait(lambda t=t: t.done or t.reject)
                if t.reject:
                    equal(t.reject.reason, 0x06, "the reason")
                else:
                    among(t.status, (scsi.GOOD, scsi.BUSY, scsi.TASK_SET_FULL), "the status")
                s.tasks.pop(t.itt)
        good(s.scsi(scsi.tur()))


@suite.case
def same_tag_twice(b):
    """SAM-5 5.10, an overlapped command: the tag of a living task is used again.  All tasks of
    the nexus are aborted, the new one ends with 0B/4E/00, and nothing was written."""
    with Numbered(b.addr, b.iqn, {"ImmediateData": "No"}) as s:
        before = s.clear_ua().read(LBA, 16)
        t = s.start(scsi.write(LBA, 8), out=b"\x11" * 4096, manual=True)
        other = s.start(scsi.write(LBA + 8, 8), out=b"\x22" * 4096, manual=True)
        s.wait(lambda: t.r2ts and other.r2ts)
        s.conn.send(Pdu(pdu.SCSI_CMD, flags=pdu.FINAL | 1, itt=t.itt, cdb=scsi.tur(),
                        lun=pdu.lun_field(1), cmdsn=s.cmdsn, exp_statsn=s.exp_statsn))
        s.cmdsn += 1
        condition(s.finish(t), scsi.ABORTED_COMMAND, 0x4E00)
        s.nothing_came()
        check(not other.done, "an aborted command is answered")
        s.tasks.pop(other.itt)
        good(s.scsi(scsi.tur()))
        equal(s.read(LBA, 16), before, "the blocks of the aborted commands")


if __name__ == "__main__":
    sys.exit(suite.run())
