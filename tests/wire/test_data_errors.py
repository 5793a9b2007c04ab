#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Data that breaks the rules: wrong order (RFC 7143 7.9), wrong tags, too much, too little.
At error recovery level 0 a target may fail the command, reject the PDU or end the
connection; it may not report GOOD for what did not arrive."""

import sys

import pdu
import scsi
from expect import good
from harness import Failed, Suite, among, check, equal
from iscsi import Closed
from pdu import Pdu
from session import READ_FLAG, WRITE_FLAG, Rejected, Session
from victim import BLOCKS, FILL, LBA, PROTOCOL_ERRORS, SIZE, Victim, data_of, target

suite = Suite()

# -- order and place of Data-Out ----------------------------------------------

@suite.cases([
    ("datasn_starts_at_1", [(0, 4096, 1, False), (4096, 4096, 2, True)]),
    ("datasn_gap", [(0, 4096, 0, False), (4096, 4096, 2, True)]),
    ("datasn_repeated", [(0, 4096, 0, False), (4096, 4096, 0, True)]),
    ("datasn_huge", [(0, 4096, 0xFFFFFFFF, False), (4096, 4096, 0, True)]),
    ("offset_gap", [(0, 2048, 0, False), (4096, 4096, 1, True)]),
    ("offset_overlap", [(0, 4096, 0, False), (2048, 4096, 1, False), (6144, 2048, 2, True)]),
    ("offset_backwards", [(4096, 4096, 0, False), (0, 4096, 1, True)]),
    ("same_piece_twice", [(0, 4096, 0, False), (0, 4096, 0, False), (4096, 4096, 1, True)]),
])
def sequence(b, pieces):
    """7.9: a DataSN out of order is treated as a lost PDU; 13.18: offsets ascend."""
    with Victim(b) as v:
        v.begin()
        r = v.first_r2t()
        try:
            for offset, length, datasn, final in pieces:
                v.send(offset, length, r.ttt, datasn, final)
        except Closed:
            pass
        v.refused()


@suite.cases([("solicited", False), ("unsolicited", True)])
def wrong_datasn_is_answered_at_once(b, unsolicited):
    """By the header alone, with the exact bytes of a SCSI Response: nothing that would have to
    follow is waited for, neither that PDU's own data nor the end of the burst."""
    with Victim(b, {"InitialR2T": "No"}) as v:
        if unsolicited:
            v.begin(flags=WRITE_FLAG | 1, unsolicited=0)
            ttt = pdu.NO_TAG
        else:
            v.begin(unsolicited=0)
            ttt = v.first_r2t().ttt
        p = v.s.data_out(v.task, 0, 4096, ttt, 7, final=False)
        v.s.conn.send_raw(p.encode(False, False)[:48])
        got = v.s.conn.recv()
        sense = bytes.fromhex("0012 70 00 0b 00000000 0a 00000000 4b00 00 000000")
        want = Pdu(pdu.SCSI_RSP, flags=0x82, response=0, status=scsi.CHECK_CONDITION,
                   residual=SIZE, itt=v.task.itt, statsn=got.statsn, exp_cmdsn=got.exp_cmdsn,
                   max_cmdsn=got.max_cmdsn, exp_datasn=0 if unsolicited else 1, data=sense)
        equal(got.encode(False, False).hex(" "), want.encode(False, False).hex(" "), "the answer")
        v.s.conn.send_raw(bytes(4096))      # and the rest is thrown away
        v.task.rsp = got
        v.s.exp_statsn = got.statsn + 1 & 0xFFFFFFFF
        v.untouched()
        good(v.s.scsi(bytes(6)))


@suite.cases([
    ("beyond_the_r2t", SIZE, 512), ("across_the_end", SIZE - 512, 1024),
    ("far_beyond", 0x7FFFFE00, 512), ("wraps", 0xFFFFFE00, 1024),
])
def outside(b, offset, length):
    """11.7.6, 11.8.4: outside of what the R2T asked for."""
    with Victim(b) as v:
        v.begin()
        r = v.first_r2t()
        p = v.s.data_out(v.task, 0, length, r.ttt)
        p.offset = offset
        v.s.conn.send(p)
        v.refused()
        v.untouched()


@suite.case
def too_much_for_the_r2t(b):
    """MaxBurstLength 4096: the first R2T asks for the first half, all of it is sent."""
    with Victim(b, {"MaxBurstLength": "4096", "FirstBurstLength": "4096"}) as v:
        v.begin()
        r = v.first_r2t()
        v.send(0, SIZE, r.ttt)
        v.refused()


@suite.case
def too_little_for_the_r2t(b):
    """F before all was sent: the target asks again, or fails the command; not GOOD."""
    with Victim(b) as v:
        v.begin()
        r = v.first_r2t()
        v.send(0, 2048, r.ttt)
        v.task.open_r2ts.discard(r.ttt)
        v.task.next_r2t = 2048                              # where a recovery R2T may begin
        v.task.r2ts.clear()
        try:
            v.s.wait(lambda: v.task.done or v.task.reject or v.task.r2ts)
        except Closed:
            return
        check(v.task.r2ts or v.task.reject or v.task.status != scsi.GOOD,
              "GOOD for a quarter of the data")
        v.neighbours()


@suite.case
def wrong_tag(b):
    """11.7.4: a TTT that was never given.  The write then still finishes if it was ignored."""
    with Victim(b) as v:
        v.begin()
        r = v.first_r2t()
        v.send(0, SIZE, r.ttt ^ 0x00ABCDEF)
        v.refused(silence=True)
        v.untouched()


@suite.case
def unsolicited_tag_for_solicited_data(b):
    """The reserved TTT where an R2T's is due: unsolicited data after F of the command."""
    with Victim(b) as v:
        v.begin(flags=pdu.FINAL | WRITE_FLAG | 1, unsolicited=0)
        v.first_r2t()
        v.send(0, SIZE, pdu.NO_TAG)
        v.refused(silence=True)
        v.untouched()


@suite.case
def tag_of_another_task(b):
    with Victim(b) as v:
        v.begin(unsolicited=0)
        mine = v.first_r2t()
        other = v.s.start(scsi.write(LBA + 100, BLOCKS), out=data_of(2), manual=True, unsolicited=0)
        try:
            v.s.wait(lambda: other.r2ts)
            v.send(0, SIZE, other.r2ts[0].ttt)              # my ITT, its TTT
            v.s.nop()
        except (Closed, Rejected):
            pass
        check(mine.ttt != other.r2ts[0].ttt, "two R2Ts share a tag")
        check(not v.task.done or v.task.status != scsi.GOOD, "GOOD for another task's data")
        check(not other.done or other.status != scsi.GOOD, "GOOD without data")


@suite.cases([("never_seen", 0x7777), ("reserved", pdu.NO_TAG)])
def data_for_no_task(b, itt):
    """It may belong to a task that is gone: dropped, rejected, or the end (7.9, 11.17.1)."""
    with Session(b.addr, b.iqn) as s, Session(b.addr, b.iqn) as other:
        other.clear_ua()
        s.conn.send(Pdu(pdu.DATA_OUT, data=bytes(512), itt=itt, ttt=1, flags=pdu.FINAL,
                        lun=pdu.lun_field(1)))
        try:
            s.nop()
        except Closed:
            pass
        for p in s.rejects:
            among(p.reason, PROTOCOL_ERRORS, "the reason of the Reject")
        other.read(0, 8)


@suite.case
def data_for_a_read(b):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        t = s.start(scsi.read(0, 2048), read=1 << 20)
        t.out = bytes(512)
        s.conn.send(s.data_out(t, 0, 512, pdu.NO_TAG))
        try:
            s.finish(t)
        except (Closed, Rejected):
            return
        good(t)


@suite.case
def data_after_the_status(b):
    with Victim(b) as v:
        v.begin()
        r = v.first_r2t()
        v.s.answer_r2t(v.task, r)
        good(v.s.finish(v.task))
        before = v.on_disk()
        v.task.out = bytes(SIZE)
        v.send(0, SIZE, r.ttt)
        try:
            v.s.nop()
        except Closed:
            pass
        check(v.on_disk() == before, "data of a finished command was written")


# -- data that was not agreed -------------------------------------------------

@suite.case
def immediate_though_not_agreed(b):
    """13.11: ImmediateData=No."""
    with Victim(b) as v:
        v.begin(immediate_data=512)
        v.refused()


@suite.case
def unsolicited_though_not_agreed(b):
    """13.10: InitialR2T=Yes."""
    with Victim(b, {"InitialR2T": "Yes"}) as v:
        try:
            v.begin(unsolicited=SIZE)
        except Closed:
            pass
        v.refused()


@suite.cases([("immediate", 4096, 0), ("both", 512, 4096), ("unsolicited", 0, 4096)])
def above_first_burst(b, imm, unsol):
    """13.14: FirstBurstLength 2048 bounds immediate and unsolicited data together."""
    with Victim(b, {"ImmediateData": "Yes", "InitialR2T": "No", "FirstBurstLength": "2048"}) as v:
        try:
            v.begin(immediate_data=imm, unsolicited=unsol)
        except Closed:
            pass
        v.refused()


@suite.cases([("immediate", SIZE, 0), ("unsolicited", 0, SIZE)])
def more_than_edtl(b, imm, unsol):
    """11.3.4: EDTL is all that the command may bring."""
    with Victim(b, {"ImmediateData": "Yes", "InitialR2T": "No"}) as v:
        try:
            v.begin(immediate_data=imm, unsolicited=unsol, edtl=SIZE // 2)
        except Closed:
            pass
        try:
            v.s.wait(lambda: v.task.done or v.task.reject)
        except Closed:
            pass
        check(v.task.status != scsi.GOOD or v.task.residual, "a clean GOOD")
        v.neighbours()
        check(v.on_disk()[512 + SIZE // 2:-512] == FILL * (BLOCKS // 2),
              "data beyond EDTL was written")


@suite.case
def immediate_on_a_read(b):
    """11.3.1: data with a command that does not write."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        try:
            s.scsi(scsi.read(0, 1), read=512, out=bytes(512), immediate_data=512, edtl=512,
                   flags=pdu.FINAL | READ_FLAG | 1)
        except Rejected as e:
            among(e.reason, PROTOCOL_ERRORS, "the reason of the Reject")
        except Closed:
            pass


@suite.cases([("by_4", 4), ("twice", None)])
def segment_above_max_recv(b, more):
    """13.12: a segment longer than the target declared."""
    with Victim(b, {"ImmediateData": "Yes"}, MaxRecvDataSegmentLength=4096) as v:
        size = v.s.neg["TargetMaxRecv"] + (more or v.s.neg["TargetMaxRecv"])
        p = Pdu(pdu.NOP_OUT, data=bytes(size), immediate=True, flags=pdu.FINAL, ttt=pdu.NO_TAG)
        try:
            v.s.request(p)
            raise Failed(f"a segment of {size} bytes was taken")
        except Rejected as e:
            among(e.reason, PROTOCOL_ERRORS, "the reason of the Reject")
        except Closed:
            pass


@suite.case
def data_never_comes(b):
    """A hundred sessions leave in the middle of a write: nothing is written, nothing leaks."""
    t = target(b)
    with Session(b.addr, t.name) as s:
        s.clear_ua()
        s.write(LBA, FILL * BLOCKS)
        fds = b.d.nr_fds()
        for n in range(100):
            with Session(b.addr, t.name, {"ImmediateData": "No"}) as dying:
                dying.clear_ua()
                task = dying.start(scsi.write(LBA, BLOCKS), out=data_of(3), manual=True,
                                   unsolicited=0)
                dying.wait(lambda: task.r2ts)
                if n % 2:
                    dying.conn.send(dying.data_out(task, 0, 4096, task.r2ts[0].ttt, 0, False))
        check(s.read(LBA, BLOCKS) == FILL * BLOCKS, "an unfinished write changed the disk")
    _wait_fds(b, fds)


def _wait_fds(b, want):
    """Bounded: connections that we closed are gone from the daemon."""
    with Session(b.addr) as s:
        for _ in range(2000):
            if b.d.nr_fds() <= want + 1:
                return
            s.text({"SendTargets": b.iqn})
    raise Failed(f"{b.d.nr_fds()} descriptors, {want} before")


if __name__ == "__main__":
    sys.exit(suite.run())
