#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""What ends a third-party copy before its time: what happens to its task, to its session, to the
disks that it copies between, be they of this target or of another one."""

import contextlib
import os
import sys

import pr
import scsi
from copying import *
from expect import condition, good
from harness import Suite, among, check, equal, until
from session import ABORT_TASK, LUN_RESET, TARGET_COLD_RESET, TARGET_WARM_RESET, Session

suite = Suite()

MB = 64
DELAY = "op=read+write;delay=20"


def slow_disk(b, mb=MB):
    """(store, path) of a disk without holes whose requests take 20 ms each: copies take their
    time."""
    path = b.d.disk(mb)
    with open(path, "r+b") as f:
        f.write(b"\x5a" * (mb << 20))
    return (f"rdwr:{path}", "--bstype", "error", "--bsopts", DELAY), path


class Slow:
    """A target with two slow disks, 1 and 2."""

    def __init__(self, b):
        if not hasattr(b, "slow"):
            b.slow = b.d.target(disks=0)
            b.slow.files = {}
            for lun in (1, 2):
                store, b.slow.files[lun] = slow_disk(b)
                b.slow.lun(lun, *store)
        self.name = b.slow.name


def started(s, n=16, immed=1, src=None, dst=None, blocks=65535):
    make = list4([cscd(src or naa(s, 1)), cscd(dst or naa(s, 2))],
                 [segment(0, 1, blocks, 0, i) for i in range(n)], list_id=5, immed=immed)
    return s.start(out_cdb(LID4, len(make)), out=make)


def state(s, list_id=5):
    return Status(bytes(good(ask(s, STATUS4, list_id)).datain))


def progress(s, list_id=5):
    """0 also while the command's data has not come: then nobody knows it yet."""
    t = ask(s, STATUS4, list_id)
    return 0 if t.status else Status(bytes(t.datain)).count


def slow_session(b):
    s = Session(b.addr, Slow(b).name)
    s.clear_ua(1)
    s.clear_ua(2)
    return s


def last_write(path, s, lun):
    """When it was, and when it is after all that was on its way to the store has landed: what
    comes later there is answered later."""
    first = os.stat(path).st_mtime_ns
    for _ in range(3):
        s.read(0, 1, lun=lun)
    return first, os.stat(path).st_mtime_ns


def writes_have_stopped(path, s, lun):
    first, last = last_write(path, s, lun)
    equal(last, first, "the time of the last write")


@suite.case
def background_with_progress(b):
    with slow_session(b) as s:
        good(s.finish(started(s, n=1)))
        equal(state(s).state, BACKGROUND, "the state at first")
        condition(send(s, LID4, list4([], [], list_id=5)), scsi.ILLEGAL_REQUEST, IN_PROGRESS)
        seen = set()

        def done():
            st = state(s)
            seen.add(st.count)
            return st.state != BACKGROUND
        until("the end of the copy", done)
        st = state(s)
        equal((st.state, st.count, st.segments), (DONE, 65535 * 512, 1), "the end")
        check(len(seen) > 2, f"no progress was told: {seen}")


@suite.cases([("operation_abort", 0, TERMINATED), ("lun_reset", 1, TERMINATED),
              ("reset_of_the_destination", 2, FAILED)])
def background_ends(b, lun, how):
    with slow_session(b) as s:
        good(s.finish(started(s)))
        until("some progress", lambda: progress(s))
        if not lun:
            good(s.scsi(abort_cdb(5)))
        else:
            equal(s.tmf(LUN_RESET, lun).response, 0, "the reset")
            s.clear_ua(1)
            s.clear_ua(2)
            writes_have_stopped(b.slow.files[2], s, 2)
        until("the end of the copy", lambda: state(s).state == how)
        check(0 < state(s).count < 16 * 65535 * 512, "how much it says that it copied")


@suite.case
def foreground_aborted(b):
    with slow_session(b) as s:
        t = started(s, immed=0)
        until("some progress", lambda: progress(s))
        equal(s.tmf(ABORT_TASK, rtt=t.itt, ref_cmdsn=t.cmdsn).response, 0, "the abort")
        writes_have_stopped(b.slow.files[2], s, 2)
        check(not t.done, "an aborted task was answered")
        equal(state(s).state, TERMINATED, "the state")
        s.tasks.pop(t.itt)


@suite.cases([("background", 1), ("foreground", 0)])
def session_loss(b, immed):
    with slow_session(b) as watch:
        s = slow_session(b)
        t = started(s, immed=immed)
        if immed:
            good(s.finish(t))
        until("some progress", lambda: progress(s))
        s.close()

        def still():
            first, last = last_write(b.slow.files[2], watch, 2)
            return first == last
        until("an end of writes", still)


@suite.cases([("source", 1, scsi.ILLEGAL_REQUEST, scsi.LUN_NOT_SUPPORTED),
              ("destination", 2, COPY_ABORTED, NOT_REACHABLE)])
def lun_removed(b, lun, key, code):
    """The copy ends, the LUN goes, the other stays."""
    with slow_session(b) as s:
        t = started(s, immed=0)
        until("some progress", lambda: progress(s))
        b.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(b.slow.tid), "--lun",
                str(lun), "--force")
        condition(s.finish(t), key, code)
        b.slow.lun(lun, f"rdwr:{b.slow.files[lun]}", "--bstype", "error", "--bsopts", DELAY)


@suite.case
def many_at_once(b):
    """No more than the records of a nexus run; the next is told BUSY."""
    with slow_session(b) as s:
        data = [list4([cscd(naa(s, 1)), cscd(naa(s, 2))], [segment(0, 1, 65535, 0, 65535)],
                      list_id=i, immed=1) for i in range(40)]
        got = [send(s, LID4, d).status for d in data]
        check(set(got) == {0, 8}, f"statuses {got}")
        check(got.count(0) <= 16 + 8, f"{got.count(0)} ran at once")
        # Not by another disk either; but another session has its own share.
        got = [send(s, LID4, d, lun=2).status for d in data]
        check(got.count(0) <= 8, f"{got.count(0)} more ran at once")
        with slow_session(b) as o:
            good(send(o, LID4, data[0]))
        equal(s.tmf(LUN_RESET, 1).response, 0, "the reset")


# -- between two targets --------------------------------------------------------------

class Pair:
    """Two targets, each with a slow disk 1, and a session of one initiator with each.  By the
    near one a copy runs from the one disk to the other; what happens, happens to the far one."""

    def __init__(self, b, far_is_source=False):
        self.b, self.far_is_source = b, far_is_source
        self.targets, self.files, self.sessions = [], [], []
        for _ in range(2):
            t = b.d.target(disks=0)
            store, path = slow_disk(b, 20)
            t.lun(1, *store)
            b.d.adm("--mode", "tpg", "--op", "new", "--tid", str(t.tid), "--tpg", "1", "--params",
                    "port=1")
            self.targets.append(t)
            self.files.append(path)
            self.sessions.append(Session(b.addr, t.name).clear_ua(1))
        self.near, self.far = self.sessions
        self.target, self.file = self.targets[1], self.files[1]

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        """Nobody holds the disks any more when the sessions and the targets have gone."""
        for s in self.sessions:
            s.close()
        for t in self.targets:
            self.b.d.adm("--mode", "target", "--op", "delete", "--tid", str(t.tid), "--force")
        if not kind:
            until("the disks are closed", lambda: not set(self.files) & self.open_files())

    def open_files(self):
        fds = f"/proc/{self.b.d.pid}/fd"
        found = set()
        for fd in os.listdir(fds):
            with contextlib.suppress(FileNotFoundError):
                found.add(os.readlink(f"{fds}/{fd}"))
        return found

    def start(self, immed=0):
        """32 segments of 10 MiB, of which some blocks have been copied."""
        ends = naa(self.near, 1), naa(self.far, 1)
        src, dst = reversed(ends) if self.far_is_source else ends
        t = started(self.near, 32, immed, src, dst, 20480)
        until("some progress", lambda: progress(self.near))
        return t

    def fails(self, t, code):
        """The copy ends so, and names the segment."""
        condition(self.near.finish(t), COPY_ABORTED, code)
        st = state(self.near)
        equal((st.state, st.status), (FAILED, scsi.CHECK_CONDITION), "the state")
        equal((st.sense.key, st.sense.code), (COPY_ABORTED, code), "the sense that is kept")
        equal(int.from_bytes(t.sense.specific[2:4], "big"), st.segments,
              "the segment that it names")

    def adm(self, mode, op, *more):
        self.b.d.adm("--mode", mode, "--op", op, "--tid", str(self.target.tid), *map(str, more))

    def stranger(self, number=1):
        """Another initiator, with a session with the far one."""
        self.sessions.append(pr.Node(self.b, number, target=self.target.name))
        return self.sessions[-1]


def shrink(p):
    os.truncate(p.file, 4096)
    p.target.lun_params(1, "size=auto")


def group(params):
    def act(p):
        p.adm("tpg", "update", "--tpg", 1, "--params", params)
    return act


def reserve(p):
    good(p.stranger().scsi(scsi.reserve6()))


def reserve_persistently(p):
    p.stranger().register().reserve(pr.EA)


def sanitize(p):
    good(p.far.scsi(scsi.cdb(0x48, 10, (1, 1, 0x81), (7, 2, 8)),        # overwrite, IMMED
                    out=bytes([1, 0, 0, 4, 1, 2, 3, 4])))


def remove(p):
    p.adm("logicalunit", "delete", "--lun", 1, "--force")


BOTH = ("destination", False), ("source", True)
CHANGES = [
    ("session_lost", lambda p: p.far.close(), NOT_REACHABLE),
    ("logout", lambda p: p.far.logout(), NOT_REACHABLE),
    ("lun_removed", remove, NOT_REACHABLE),
    ("lun_offline", lambda p: p.target.lun_params(1, "online=0"), DEVICE_FAILURE),
    ("shrunk", shrink, DEVICE_FAILURE),
    ("standby", group("state=standby"), NOT_REACHABLE),
    ("unavailable", group("state=unavailable"), NOT_REACHABLE),
    ("target_offline", lambda p: p.target.update(state="offline"), NOT_REACHABLE),
    ("sanitized", sanitize, DEVICE_FAILURE),
    ("reserved", reserve, DEVICE_FAILURE),
    ("reserved_persistently", reserve_persistently, DEVICE_FAILURE),
]


@suite.cases([(f"{name}_{side}", far_is_source, act, code) for name, act, code in CHANGES
              for side, far_is_source in BOTH] +
             [("write_protected_destination", False,
               lambda p: p.target.lun_params(1, "readonly=1"), DEVICE_FAILURE)])
def far_disk_changes(b, far_is_source, act, code):
    with Pair(b, far_is_source) as p:
        t = p.start()
        act(p)
        p.fails(t, code)


@suite.cases([(f"{name}_{side}", far_is_source, tmf) for name, tmf in (
    ("lun_reset", LUN_RESET), ("warm_reset", TARGET_WARM_RESET)) for side, far_is_source in BOTH])
def far_disk_is_reset(b, far_is_source, tmf):
    with Pair(b, far_is_source) as p:
        t = p.start()
        equal(p.far.tmf(tmf, 1).response, 0, "the reset")
        p.far.clear_ua(1)
        if not far_is_source:
            writes_have_stopped(p.file, p.far, 1)
        p.fails(t, DEVICE_FAILURE)


@suite.cases(BOTH)
def far_target_is_reset_cold(b, far_is_source):
    """Its sessions end."""
    with Pair(b, far_is_source) as p:
        t = p.start()
        equal(p.stranger().tmf(TARGET_COLD_RESET, 1).response, 0, "the reset")
        p.far.expect_closed()
        condition(p.near.finish(t), COPY_ABORTED)
        among(t.sense.code, (NOT_REACHABLE, DEVICE_FAILURE), "the sense")


@suite.cases([("that_reserves", True), ("of_a_registration", False)])
def far_disk_is_preempted(b, reserves):
    """PREEMPT AND ABORT of the nexus through which the copy writes: none of it lands after that
    was answered, be it that a reservation forbids it then or not."""
    with Pair(b) as p:
        other = p.stranger()
        key = 0x2000
        good(p.far.scsi(pr.pr_out_cdb(pr.REGISTER_IGNORE), out=pr.basic_list(0, key)))
        other.register()
        if reserves:
            good(p.far.scsi(pr.pr_out_cdb(pr.RESERVE, pr.WE_RO), out=pr.basic_list(key)))
        t = p.start()
        good(other.out(pr.PREEMPT_ABORT, pr.WE_RO, new=key))
        writes_have_stopped(p.file, other, 1)
        p.fails(t, DEVICE_FAILURE)


@suite.case
def near_disk_is_preempted_in_the_background(b):
    """What has been answered already is aborted as well."""
    with Pair(b) as p:
        other = pr.Node(b, 1, target=p.targets[0].name)
        p.sessions.append(other)
        good(p.near.scsi(pr.pr_out_cdb(pr.REGISTER_IGNORE), out=pr.basic_list(0, 0x2000)))
        other.register()
        good(p.near.finish(p.start(immed=1)))
        good(other.out(pr.PREEMPT_ABORT, pr.WE_RO, new=0x2000))
        writes_have_stopped(p.file, p.far, 1)
        p.near.clear_ua(1)
        equal(state(p.near).state, TERMINATED, "the state")


# -- what waits for a limit, or in a store that hangs ------------------------------------

def limited(p):
    """The far disk takes half a second for each of the pieces that wait."""
    p.target.lun_params(1, "bw_limit=500K")


@suite.case
def abort_of_what_a_limit_holds(b):
    """A copy that waits for the limit of the far disk is answered as any other."""
    with Pair(b) as p:
        limited(p)
        t = p.start()
        equal(p.near.tmf(ABORT_TASK, rtt=t.itt, ref_cmdsn=t.cmdsn).response, 0, "the abort")
        check(not t.done, "an aborted task was answered")
        equal(state(p.near).state, TERMINATED, "the state")
        p.near.tasks.pop(t.itt)


@suite.cases([("foreground", 0), ("background", 1)])
def reset_of_what_a_limit_holds(b, immed):
    with Pair(b) as p:
        limited(p)
        t = p.start(immed)
        equal(p.far.tmf(LUN_RESET, 1).response, 0, "the reset")
        if immed:
            good(p.near.finish(t))
            equal(state(p.near).state, FAILED, "the state")
        else:
            p.fails(t, DEVICE_FAILURE)


@suite.case
def session_loss_while_a_limit_holds(b):
    """Nothing of it is left: the disk can go at once."""
    with Pair(b) as p:
        limited(p)
        good(p.near.finish(p.start(immed=1)))
        p.near.close()


@suite.cases([("abort", ABORT_TASK), ("lun_reset", LUN_RESET)])
def the_far_store_hangs(b, tmf):
    """The answer is that it could not be ended; others are served; it ends when the store does."""
    with Pair(b) as p:
        control = os.path.join(b.d.dir, "hangs")
        store, _ = slow_disk(b, 1)
        store = (*store[:-1], f"op=write;hang=yes;control={control}")
        p.target.lun(2, *store)
        with open(control, "w"):
            pass
        for lun in 2, 1:
            p.far.clear_ua(lun)
        t = started(p.near, 1, 0, naa(p.near, 1), naa(p.far, 2), 2048)
        until("it is known", lambda: ask(p.near, STATUS4, 5).status == 0)
        # Something has to be in the store, that is, been read.
        for _ in range(3):
            p.near.read(0, 1)
        if tmf == ABORT_TASK:
            r = p.near.tmf(tmf, rtt=t.itt, ref_cmdsn=t.cmdsn)
            p.near.tasks.pop(t.itt)
        else:
            r = p.far.tmf(tmf, 2)
        equal(r.response, 255, "the answer")
        p.near.write(0, bytes(512))
        p.far.write(0, bytes(512))
        os.unlink(control)
        if tmf == ABORT_TASK:
            until("the end", lambda: state(p.near).state == TERMINATED)
        else:
            condition(p.near.finish(t), COPY_ABORTED, DEVICE_FAILURE)


if __name__ == "__main__":
    sys.exit(suite.run())
