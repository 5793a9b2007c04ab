#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""A store that hangs, delays or fails (bstype error): what initiators see of it.

A hanging store stalls its own LUN only; aborts, resets, logouts and the end of the daemon
do not wait for it, except where an answer would be a lie (an aborted write that may land).
"""

import os
import sys

import pdu
import scsi
from daemon import Daemon, pattern
from expect import good
from harness import Skip, Suite, among, check, equal, until
from iscsi import Closed
from session import (ABORT_TASK, ABORT_TASK_SET, CLEAR_TASK_SET, LUN_RESET, TARGET_COLD_RESET,
                     TARGET_WARM_RESET, Session)

suite = Suite()

LBA = 4096
OLD, NEW = b"\x0f" * 4096, b"\xf0" * 4096


class Faulty:
    """A target: LUN 1 misbehaves by rule while armed, LUN 2 is an ordinary disk."""

    def __init__(self, d, rule):
        if " error" not in d.modules():
            raise Skip("the module bs_error is not loaded")
        self.t = d.target(disks=0)
        self.name, self.tid = self.t.name, self.t.tid
        self.path = d.disk()
        self.control = self.path + ".rules"
        self.t.lun(1, f"rdwr:{self.path}", "--bstype", "error",
                   "--bsopts", f"control={self.control};{rule}")
        self.t.lun(2, d.disk())

    def arm(self):
        with open(self.control, "w"):
            pass

    def release(self):
        """What hangs goes on."""
        if os.path.exists(self.control):
            os.unlink(self.control)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.release()

    def on_disk(self):
        with open(self.path, "rb") as f:
            f.seek(LBA * 512)
            return f.read(4096)


def opened(addr, f, **how):
    s = Session(addr, f.name, **how)
    s.clear_ua(1)
    s.clear_ua(2)
    return s


def hanging_reads(s, n=4):
    tasks = [s.start(scsi.read(i * 8, 8), read=4096) for i in range(n)]
    s.nop()
    for t in tasks:
        check(not t.done, f"the store does not hang: {t}")
    return tasks


def usable(s):
    """LUN 1, released, serves again."""
    s.clear_ua()
    equal(s.read(0, 64), pattern(0, 64), "blocks of LUN 1")


# -- it hangs -----------------------------------------------------------------

@suite.case
def other_lun_is_served(b):
    with Faulty(b.d, "hang=yes") as f, opened(b.addr, f) as s, opened(b.addr, f) as other:
        f.arm()
        tasks = hanging_reads(s, 16)
        for x in (s, other):
            for n in range(20):
                x.write(LBA + n * 8, NEW, lun=2)
                equal(x.read(LBA + n * 8, 8, lun=2), NEW, "blocks of LUN 2")
            x.nop(b"alive")
        f.release()
        for n, t in enumerate(tasks):
            check(good(s.finish(t)).datain == pattern(n * 8, 8), f"read {n} differs")


@suite.case
def other_lun_has_memory(b):
    """LUN 1 holds all the memory that a session may have; LUN 2 is served all the same."""
    with Faulty(b.d, "hang=yes") as f, opened(b.addr, f) as s:
        f.arm()
        tasks = [s.start(scsi.read(0, 2048), read=1 << 20) for _ in range(64)]
        s.nop()
        s.write(LBA, NEW, lun=2)
        equal(s.read(LBA, 8, lun=2), NEW, "blocks of LUN 2")
        f.release()
        for t in tasks:
            good(s.finish(t))


@suite.case
def lost_sessions_hold_no_more_than_a_part(b):
    """An initiator comes back again and again while the store hangs.  What it left there
    keeps its memory; other targets have theirs."""
    del b
    with Daemon(args=("--reactors", "1", "--memory", "64M")) as d, Faulty(d, "hang=yes") as f:
        other = d.target()
        f.arm()
        for _ in range(20):
            with Session(d.addr, f.name) as s:
                s.clear_ua()
                for _ in range(8):
                    s.start(scsi.read(0, 2048), read=1 << 20)
                s.nop()
        with Session(d.addr, other.name) as s:
            s.clear_ua()
            equal(s.read(0, 64), pattern(0, 64), "blocks of another target")
        with opened(d.addr, f) as s:
            waits = s.start(scsi.read(0, 8), read=4096)
            s.read(0, 8, lun=2)
            check(not waits.done, "a store that hangs has answered")
            f.release()
            good(s.finish(waits))
            usable(s)


@suite.case
def sessions_that_hang_hold_no_more_than_a_part(b):
    """Twenty sessions, each with as much as it may have, in a store that hangs."""
    del b
    with Daemon(args=("--reactors", "1", "--memory", "64M")) as d, Faulty(d, "hang=yes") as f:
        other = d.target()
        f.arm()
        hung = []
        try:
            for _ in range(20):
                # Without unsolicited data, so that their windows are wide.
                s = Session(d.addr, f.name,
                            {"InitialR2T": "Yes", "ImmediateData": "No"}).clear_ua()
                hung.append(s)
                for _ in range(6):
                    s.start(scsi.read(0, 2048), read=1 << 20)
                s.nop()
            with Session(d.addr, other.name) as s:
                s.clear_ua()
                equal(s.read(0, 64), pattern(0, 64), "blocks of another target")
        finally:
            f.release()
            for s in hung:
                s.close()
        with opened(d.addr, f) as s:
            usable(s)


@suite.case
def other_targets_are_served(b):
    with Faulty(b.d, "hang=yes") as f, opened(b.addr, f) as s, Session(b.addr, b.iqn) as other:
        other.clear_ua()
        f.arm()
        hanging_reads(s)
        other.write(LBA, NEW)
        equal(other.read(LBA, 8), NEW, "the blocks")
        Session(b.addr, b.iqn).close()


@suite.case
def whole_window_hangs(b):
    """As many as the window allows; all are answered, once, when the store comes back."""
    with Faulty(b.d, "hang=yes") as f, opened(b.addr, f) as s:
        f.arm()
        room = (s.max_cmdsn - s.cmdsn + 1) & 0xFFFFFFFF
        tasks = hanging_reads(s, room)
        equal(s.tmf(ABORT_TASK, rtt=tasks[0].itt, ref_cmdsn=tasks[0].cmdsn).response, 0,
              "the response to an immediate abort")
        f.release()
        for n, t in enumerate(tasks[1:], 1):
            check(good(s.finish(t)).datain == pattern(n * 8, 8), f"read {n} differs")
        usable(s)


@suite.cases([("abort_task", ABORT_TASK), ("abort_task_set", ABORT_TASK_SET),
              ("clear_task_set", CLEAR_TASK_SET), ("lun_reset", LUN_RESET),
              ("warm_reset", TARGET_WARM_RESET)])
def hung_reads_end(b, function):
    """The answer comes while the store still hangs; the tasks are never answered."""
    with Faulty(b.d, "hang=yes;op=read") as f, opened(b.addr, f) as s:
        f.arm()
        tasks = hanging_reads(s)
        if function == ABORT_TASK:
            for t in tasks:
                equal(s.tmf(function, rtt=t.itt, ref_cmdsn=t.cmdsn).response, 0, "the response")
        else:
            lun = 0 if function == TARGET_WARM_RESET else 1
            equal(s.tmf(function, lun=lun).response, 0, "the response")
        s.clear_ua(2)
        s.read(0, 8, lun=2)
        f.release()
        s.nop()
        usable(s)
        for t in tasks:
            check(not t.done, f"an aborted task was answered: {t}")


@suite.case
def reset_by_another_session(b):
    with Faulty(b.d, "hang=yes;op=read") as f, opened(b.addr, f) as s, opened(b.addr, f) as other:
        f.arm()
        tasks = hanging_reads(s)
        equal(other.tmf(LUN_RESET).response, 0, "the response")
        s.nop()
        for t in tasks:
            check(not t.done or t.status == scsi.TASK_ABORTED, f"{t}")
        f.release()
        usable(other)
        usable(s)


@suite.case
def cold_reset_while_it_hangs(b):
    with Faulty(b.d, "hang=yes;op=read") as f, opened(b.addr, f) as s, opened(b.addr, f) as other:
        f.arm()
        hanging_reads(s)
        try:
            equal(s.tmf(TARGET_COLD_RESET, lun=0).response, 0, "the response")
        except Closed:
            pass
        s.expect_closed()
        other.expect_closed()


@suite.cases([("abort_task", ABORT_TASK), ("lun_reset", LUN_RESET)])
def hung_write_ends(b, function):
    """Function complete means that the write has its last effect behind it: the answer waits,
    or the write never lands."""
    with Faulty(b.d, "hang=yes;op=write") as f, opened(b.addr, f) as s:
        s.write(LBA, OLD)
        f.arm()
        t = s.start(scsi.write(LBA, 8), out=NEW)
        s.nop()
        check(not t.done, f"the store does not hang: {t}")
        p = pdu.Pdu(pdu.TMF_REQ, immediate=True, flags=pdu.FINAL | function, rtt=t.itt,
                    lun=pdu.lun_field(1), ref_cmdsn=t.cmdsn)
        if function == LUN_RESET:
            p.rtt, p.ref_cmdsn = pdu.NO_TAG, 0
        s.conn.send(s.stamp(p))
        s.nop(b"meanwhile")
        s.clear_ua(2)
        s.read(0, 8, lun=2)
        early = p.itt in s.replies
        if early:
            equal(f.on_disk(), OLD, "the blocks when the abort was answered")
        f.release()
        equal(s.reply(p.itt).response, 0, "the response")
        after = f.on_disk()
        among(after, (OLD, NEW), "the blocks")
        s.clear_ua()
        good(s.scsi(scsi.sync_cache()))
        for _ in range(50):
            equal(f.on_disk(), after, "the blocks, later")
            s.read(0, 8)
        check(not early or after == OLD, "a write landed after its abort was answered")
        check(not t.done, f"an aborted task was answered: {t}")


@suite.case
def logout_while_it_hangs(b):
    with Faulty(b.d, "hang=yes") as f, opened(b.addr, f) as s:
        f.arm()
        hanging_reads(s)
        equal(s.logout(0).response, 0, "the response")
        s.expect_closed()


@suite.case
def reinstated_while_it_hangs(b):
    """6.3.5: the old session's tasks end; the new one has LUN 2 at once, LUN 1 afterwards."""
    with Faulty(b.d, "hang=yes") as f:
        old = opened(b.addr, f)
        f.arm()
        hanging_reads(old)
        with Session(b.addr, f.name, isid=old.isid) as new:
            old.expect_closed()
            old.close()
            new.clear_ua(2)
            new.read(0, 8, lun=2)
            f.release()
            usable(new)


@suite.case
def killed_while_it_hangs(b):
    """Sessions that die with hung commands leave nothing behind."""
    with Faulty(b.d, "hang=yes") as f:
        with Session(b.addr, b.iqn):
            fds = b.d.nr_fds()
        f.arm()
        for _ in range(30):
            s = Session(b.addr, f.name).clear_ua()
            s.start(scsi.read(0, 8), read=4096)
            s.close()
        f.release()
        with Session(b.addr, f.name) as s:
            s.clear_ua(2)
            usable(s)
    until("descriptors are closed", lambda: b.d.nr_fds() <= fds + 2)


@suite.case
def sigterm_while_it_hangs(b):
    """The end is bounded, whatever the store does."""
    with Daemon() as d:
        with Faulty(d, "hang=yes") as f, opened(d.addr, f) as s:
            f.arm()
            hanging_reads(s)
            d.terminate()
            until("tgtd ends", lambda: d.proc.poll() is not None)
            equal(d.proc.returncode, 0, "the exit code")


# -- it delays ----------------------------------------------------------------

@suite.case
def delayed_reads(b):
    """Late, but right; what is quicker overtakes."""
    with Faulty(b.d, "delay=300;op=read") as f, opened(b.addr, f) as s:
        f.arm()
        slow = [s.start(scsi.read(n * 8, 8), read=4096) for n in range(8)]
        s.read(0, 8, lun=2)
        check(not any(t.done for t in slow), "a delayed read is not late")
        for n, t in enumerate(slow):
            check(good(s.finish(t)).datain == pattern(n * 8, 8), f"read {n} differs")


# -- it fails -----------------------------------------------------------------

MEDIUM = (scsi.MEDIUM_ERROR, scsi.HARDWARE_ERROR)
FULL = (scsi.DATA_PROTECT, scsi.MEDIUM_ERROR, scsi.HARDWARE_ERROR)


def _read(s):
    return s.scsi(scsi.read(0, 8), read=4096)


def _write(s):
    return s.scsi(scsi.write(LBA, 8), out=NEW)


def _sync(s):
    return s.scsi(scsi.sync_cache())


@suite.cases([
    ("read_eio", "op=read;error=EIO", _read, MEDIUM),
    ("read_enodata", "op=read;error=ENODATA", _read, MEDIUM),
    ("read_short", "op=read;short=yes", _read, MEDIUM),
    ("write_eio", "op=write;error=EIO", _write, MEDIUM),
    ("write_short", "op=write;short=yes", _write, MEDIUM),
    ("write_enospc", "op=write;error=ENOSPC", _write, FULL),
    ("write_erofs", "op=write;error=EROFS", _write, (scsi.DATA_PROTECT, *MEDIUM)),
    ("sync_eio", "op=flush;error=EIO", _sync, MEDIUM),
])
def failure(b, rule, command, keys):
    """A store's error is CHECK CONDITION, never GOOD; and it is over when the store is well."""
    with Faulty(b.d, rule) as f, opened(b.addr, f) as s:
        if command is _sync:
            s.write(LBA, OLD)
        f.arm()
        for _ in range(3):
            t = command(s)
            equal((t.response, t.status), (0, scsi.CHECK_CONDITION), "response and status")
            among(t.sense.key, keys, "the sense key")
        s.read(0, 8, lun=2)
        f.release()
        good(command(s))


@suite.case
def failing_reads_in_a_range(b):
    """Bytes 64 KiB to 64.5 KiB are bad: only commands that touch them fail."""
    with Faulty(b.d, "op=read;error=ENODATA;at=65536;len=512") as f, opened(b.addr, f) as s:
        f.arm()
        equal(s.read(120, 8), pattern(120, 8), "the blocks before")
        equal(s.read(129, 8), pattern(129, 8), "the blocks behind")
        for lba, n in ((128, 1), (120, 9), (127, 4), (0, 256)):
            t = s.scsi(scsi.read(lba, n), read=n * 512)
            equal(t.status, scsi.CHECK_CONDITION, f"the status of {n} blocks at {lba}")
            among(t.sense.key, MEDIUM, "the sense key")


@suite.case
def mixed_failures(b):
    """Every fourth operation or so fails; what says GOOD is right."""
    rules = "op=write;after=3;count=5;error=EIO;op2=read;after2=5;count2=7;error2=EIO"
    with Faulty(b.d, rules) as f, opened(b.addr, f) as s:
        f.arm()
        held = {}
        for n in range(60):
            lba, data = LBA + n % 10 * 8, bytes([n]) * 4096
            t = s.scsi(scsi.write(lba, 8), out=data)
            held[lba] = [data] if t.status == scsi.GOOD else held.get(lba, [bytes(4096)]) + [data]
            t = s.scsi(scsi.read(lba, 8), read=4096)
            if t.status == scsi.GOOD:
                among(bytes(t.datain), held[lba], f"the blocks at {lba}")
            else:
                equal(t.status, scsi.CHECK_CONDITION, "the status")


if __name__ == "__main__":
    sys.exit(suite.run())
