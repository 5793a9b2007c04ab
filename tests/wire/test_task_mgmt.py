#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Task management, RFC 7143 11.5, 11.6 and 4.2.3: what ends, what stays, what is answered."""

import sys

import pdu
import scsi
from expect import good
from harness import Suite, among, check, equal, until
from iscsi import Closed
from session import (ABORT_TASK, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET, LUN_RESET,
                     TARGET_COLD_RESET, TARGET_WARM_RESET, TASK_REASSIGN, Rejected, Session)

suite = Suite()

COMPLETE, NO_TASK, NO_LUN, NO_REASSIGN, UNSUPPORTED, REFUSED = 0, 1, 2, 4, 5, 255
LBA = 4096
OLD, NEW = b"\x0f" * 4096, b"\xf0" * 4096


def disks(b):
    """A target with two disks of its own."""
    if not hasattr(b, "two_disks"):
        b.two_disks = b.d.target(disks=2)
    return b.two_disks


def opened(b):
    s = Session(b.addr, disks(b).name, {"ImmediateData": "No"})
    for lun in (1, 2):
        s.clear_ua(lun)
        s.write(LBA, OLD, lun)
    return s


def waiting_write(s, lun=1):
    """A task that is alive because its data has not come."""
    t = s.start(scsi.write(LBA, 8), lun=lun, out=NEW, manual=True)
    s.wait(lambda: t.r2ts or t.done)
    check(not t.done, f"ended at once: {t}")
    return t


def tmf_and_data(s, function, tasks, lun=1, **how):
    """The request, then the data that its tasks' R2Ts still ask for: the standard multi-task
    abort (4.2.3.2) lets the target wait for that data before it answers."""
    p = pdu.Pdu(pdu.TMF_REQ, immediate=True, flags=pdu.FINAL | function, rtt=pdu.NO_TAG,
                lun=pdu.lun_field(lun))
    for name, value in how.items():
        setattr(p, name, value)
    s.conn.send(s.stamp(p))
    for t in tasks:
        for r in t.r2ts:
            s.send_data(t, r.offset, r.length, r.ttt)
    return s.reply(p.itt).response


def gone(s, *tasks):
    """An aborted task is never answered (SAM: no status for the nexus that aborted it)."""
    s.nop()
    for t in tasks:
        check(not t.done, f"an aborted task was answered: {t}")
        s.tasks.pop(t.itt)


def still_there(s, *tasks):
    """A task that was not meant takes its data and ends well."""
    s.nop()
    for t in tasks:
        check(not t.done, f"a task that was not meant has ended: {t}")
        s.answer_r2t(t, t.r2ts.pop(0))
        good(s.finish(t))


def on_disk(b, lun=1):
    with open(disks(b).paths[lun], "rb") as f:
        f.seek(LBA * 512)
        return f.read(4096)


# -- abort task ---------------------------------------------------------------

@suite.cases([("immediate", True), ("queued", False)])
def abort_task(b, immediate):
    with opened(b) as s:
        t, other = waiting_write(s), waiting_write(s, lun=2)
        rsp = s.tmf(ABORT_TASK, rtt=t.itt, ref_cmdsn=t.cmdsn, immediate=immediate)
        equal(rsp.response, COMPLETE, "the response")
        gone(s, t)
        equal(on_disk(b), OLD, "the blocks")
        still_there(s, other)
        s.clear_ua()


@suite.case
def abort_task_then_data(b):
    """Data for the aborted task, sent before its answer was seen, is dropped."""
    with opened(b) as s:
        t = waiting_write(s)
        equal(s.tmf(ABORT_TASK, rtt=t.itt, ref_cmdsn=t.cmdsn).response, COMPLETE, "the response")
        r = t.r2ts[0]
        s.send_data(t, r.offset, r.length, r.ttt)
        try:
            s.nop()
        except Closed:
            return
        check(not t.done, f"an aborted task was answered: {t}")
        equal(on_disk(b), OLD, "the blocks, after function complete")


@suite.case
def abort_finished_task(b):
    """11.6.1: no such task, and its RefCmdSN is outside the window: 1."""
    with opened(b) as s:
        t = good(s.scsi(scsi.read(0, 1), read=512))
        equal(s.tmf(ABORT_TASK, rtt=t.itt, ref_cmdsn=t.cmdsn).response, NO_TASK, "the response")


@suite.cases([("old", -100), ("beyond_the_window", 100000)])
def abort_unknown_task(b, distance):
    with opened(b) as s:
        rsp = s.tmf(ABORT_TASK, rtt=0x6666, ref_cmdsn=s.cmdsn + distance)
        equal(rsp.response, NO_TASK, "the response")


@suite.case
def abort_task_never_received(b):
    """11.5.1, 11.6.1: RefCmdSN is in the window and below the request's CmdSN: the target
    considers it received, answers 0, and the command is ignored when it comes late."""
    with opened(b) as s:
        lost = pdu.Pdu(pdu.SCSI_CMD, flags=pdu.FINAL | 0x20 | 1, cdb=scsi.write(LBA, 8), edtl=4096,
                       lun=pdu.lun_field(1))
        s.stamp(lost)                                   # takes its CmdSN, and is not sent
        equal(s.tmf(ABORT_TASK, rtt=lost.itt, ref_cmdsn=lost.cmdsn).response, COMPLETE,
              "the response")
        good(s.scsi(scsi.tur()))                        # the gap is closed
        s.conn.send(lost)
        s.nothing_came()


@suite.case
def abort_held_task(b):
    """A task that arrived and waits for the number before it is a task, too."""
    with opened(b) as s:
        first = s.cmdsn
        s.cmdsn += 1
        held = s.start(scsi.read(0, 1), read=512)
        rsp = s.tmf(ABORT_TASK, rtt=held.itt, ref_cmdsn=held.cmdsn)
        equal(rsp.response, COMPLETE, "the response")
        after, s.cmdsn = s.cmdsn, first
        t = s.start(scsi.tur())
        s.cmdsn = after
        good(s.finish(t))
        gone(s, held)
        good(s.scsi(scsi.tur()))


@suite.case
def abort_at_another_lun(b):
    """The task is LUN 1's; an abort for LUN 2 does not reach it."""
    with opened(b) as s:
        t = waiting_write(s)
        rsp = s.tmf(ABORT_TASK, lun=2, rtt=t.itt, ref_cmdsn=t.cmdsn)
        among(rsp.response, (NO_TASK, REFUSED), "the response")
        still_there(s, t)


@suite.case
def abort_of_another_session(b):
    """Tags are of a session: the same one elsewhere is another task."""
    with opened(b) as one, opened(b) as two:
        t = waiting_write(one)
        rsp = two.tmf(ABORT_TASK, rtt=t.itt, ref_cmdsn=two.cmdsn + 100000)
        equal(rsp.response, NO_TASK, "the response")
        still_there(one, t)


@suite.case
def abort_itself(b):
    """RTT is the tag of the request itself: no SCSI task."""
    with opened(b) as s:
        p = pdu.Pdu(pdu.TMF_REQ, immediate=True, flags=pdu.FINAL | ABORT_TASK, itt=0x5151,
                    rtt=0x5151, ref_cmdsn=s.cmdsn + 100000, lun=pdu.lun_field(1))
        try:
            among(s.request(p).response, (NO_TASK, REFUSED), "the response")
        except Rejected as e:
            among(e.reason, (0x04, 0x09), "the reason")


# -- task sets ----------------------------------------------------------------

def _tst(s):
    """Control mode page: 1 means a task set for each I_T nexus."""
    page = good(s.scsi(scsi.mode_sense6(0x0A), read=255)).datain
    return page[4 + page[3] + 2] >> 5


@suite.cases([("abort_task_set", ABORT_TASK_SET), ("clear_task_set", CLEAR_TASK_SET)])
def task_set(b, function):
    """All tasks of LUN 1, none of LUN 2; another session's only when task sets are shared and
    the function is CLEAR TASK SET."""
    with opened(b) as s, opened(b) as other:
        s.clear_ua()
        s.clear_ua(2)
        mine = [waiting_write(s) for _ in range(3)]
        lun2, theirs = waiting_write(s, lun=2), waiting_write(other)
        equal(tmf_and_data(s, function, mine), COMPLETE, "the response")
        gone(s, *mine)
        still_there(s, lun2)
        if function == ABORT_TASK_SET or _tst(s) == 1:
            still_there(other, theirs)
        good(s.scsi(scsi.tur()))


@suite.case
def task_set_leaves_later_commands(b):
    """4.2.3.2: only tasks with a CmdSN below the request's are affected."""
    with opened(b) as s:
        t = waiting_write(s)
        tmf_and_data(s, ABORT_TASK_SET, [t])
        later = [s.start(scsi.read(0, 8), read=4096) for _ in range(8)]
        for x in later:
            good(s.finish(x))
        gone(s, t)


@suite.case
def empty_task_set(b):
    with opened(b) as s:
        for function in (ABORT_TASK_SET, CLEAR_TASK_SET):
            equal(s.tmf(function).response, COMPLETE, "the response")


# -- resets -------------------------------------------------------------------

def told(s, lun=1):
    """A reset is a unit attention 29h for every nexus (SAM-5 5.14); the one that asked for
    it may be spared."""
    t = s.scsi(scsi.tur(), lun=lun)
    if t.status == scsi.GOOD:
        return False
    equal((t.status, t.sense.key, t.sense.code >> 8), (scsi.CHECK_CONDITION,
                                                       scsi.UNIT_ATTENTION, 0x29), "the sense")
    s.clear_ua(lun)
    return True


def _not_good(s, *tasks):
    """Tasks that another nexus ended: no answer, or TASK ABORTED when TAS is set."""
    for t in tasks:
        check(not t.done or t.status == scsi.TASK_ABORTED, f"an aborted task ends with {t}")
        s.tasks.pop(t.itt, None)


@suite.case
def lun_reset(b):
    with opened(b) as s, opened(b) as other:
        mine, theirs, lun2 = waiting_write(s), waiting_write(other), waiting_write(other, lun=2)
        for x in (s, other):
            x.nop()
        # The other session answers its R2T, too, as 4.2.3.2 asks of it.
        p = pdu.Pdu(pdu.TMF_REQ, immediate=True, flags=pdu.FINAL | LUN_RESET, rtt=pdu.NO_TAG,
                    lun=pdu.lun_field(1))
        s.conn.send(s.stamp(p))
        s.send_data(mine, 0, 4096, mine.r2ts[0].ttt)
        # Before the reset has come to it, the other session's write could end well.
        until("the other session is told of the reset", lambda: told(other))
        other.send_data(theirs, 0, 4096, theirs.r2ts[0].ttt)
        equal(s.reply(p.itt).response, COMPLETE, "the response")
        gone(s, mine)
        other.nop()
        _not_good(other, theirs)
        still_there(other, lun2)
        told(s)
        check(not told(other), "told twice")
        s.read(0, 8)


@suite.case
def warm_reset(b):
    with opened(b) as s, opened(b) as other:
        tasks = [waiting_write(s), waiting_write(s, lun=2)]
        equal(tmf_and_data(s, TARGET_WARM_RESET, tasks, lun=0), COMPLETE, "the response")
        gone(s, *tasks)
        for lun in (1, 2):
            check(told(other, lun), f"the other session was not told about LUN {lun}")
            told(s, lun)
        s.read(0, 8)
        other.read(0, 8)


@suite.case
def warm_reset_of_a_target_leaves_others(b):
    with opened(b) as s, Session(b.addr, b.iqn) as elsewhere:
        elsewhere.clear_ua()
        equal(s.tmf(TARGET_WARM_RESET, lun=0).response, COMPLETE, "the response")
        good(elsewhere.scsi(scsi.tur()))


@suite.case
def cold_reset(b):
    """11.5.1: as a warm reset, then all connections to the target are ended."""
    with opened(b) as s, opened(b) as other, Session(b.addr, b.iqn) as elsewhere:
        elsewhere.clear_ua()
        try:
            equal(s.tmf(TARGET_COLD_RESET, lun=0).response, COMPLETE, "the response")
        except Closed:
            pass                                        # it could not answer in time: 11.5.1
        s.expect_closed()
        other.expect_closed()
        good(elsewhere.scsi(scsi.tur()))
    with opened(b) as s:
        s.read(0, 8)


# -- what is refused ----------------------------------------------------------

@suite.cases([("clear_aca", CLEAR_ACA, (COMPLETE, UNSUPPORTED, REFUSED)),
              ("task_reassign", TASK_REASSIGN, (NO_REASSIGN, UNSUPPORTED, REFUSED)),
              ("0", 0, (UNSUPPORTED, REFUSED)), ("9", 9, (UNSUPPORTED, REFUSED)),
              ("20", 20, (UNSUPPORTED, REFUSED)), ("127", 127, (UNSUPPORTED, REFUSED))])
def unsupported(b, function, legal):
    """11.6.1; an unknown function may be rejected as a field, too."""
    with opened(b) as s:
        t = waiting_write(s)
        try:
            among(s.tmf(function, rtt=t.itt, ref_cmdsn=t.cmdsn).response, legal, "the response")
        except Rejected as e:
            among(e.reason, (0x04, 0x05, 0x09), "the reason")
        still_there(s, t)


@suite.cases([(name, f) for name, f in (("abort_task_set", ABORT_TASK_SET),
                                        ("clear_task_set", CLEAR_TASK_SET),
                                        ("lun_reset", LUN_RESET))])
def unknown_lun(b, function):
    """11.6.1: 2, "LUN does not exist"."""
    with opened(b) as s:
        for lun in (77, 300, 16383):
            equal(s.tmf(function, lun=lun).response, NO_LUN, f"the response for LUN {lun}")
        p = pdu.Pdu(pdu.TMF_REQ, immediate=True, flags=pdu.FINAL | function, rtt=pdu.NO_TAG,
                    lun=0xC1FFFFFFFFFFFFFF)             # a LUN format nobody knows
        equal(s.request(p).response, NO_LUN, "the response for an odd LUN")


@suite.case
def resets_in_a_row(b):
    """Fifty resets with commands between them; afterwards all is as before."""
    with opened(b) as s:
        for n in range(50):
            t = s.start(scsi.read(0, 8), read=4096)
            s.tmf((LUN_RESET, ABORT_TASK_SET, CLEAR_TASK_SET, TARGET_WARM_RESET)[n % 4],
                  lun=0 if n % 4 == 3 else 1)
            s.nop()
            if t.done:
                among(t.status, (scsi.GOOD, scsi.CHECK_CONDITION), "the status")
            s.tasks.pop(t.itt)
            s.clear_ua()
        s.read(0, 8)


@suite.case
def request_with_data(b):
    """A TMF with a data segment is malformed (11.5 has none): refused, or the data ignored."""
    with opened(b) as s:
        t = waiting_write(s)
        p = pdu.Pdu(pdu.TMF_REQ, data=b"junk", immediate=True, flags=pdu.FINAL | ABORT_TASK_SET,
                    rtt=pdu.NO_TAG, lun=pdu.lun_field(2))
        try:
            equal(s.request(p).response, COMPLETE, "the response")
        except Rejected as e:
            among(e.reason, (0x04, 0x09), "the reason")
        except Closed:
            return
        still_there(s, t)


if __name__ == "__main__":
    sys.exit(suite.run())
