#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Digests that do not fit, RFC 7143 7.8 and 13.1.  (Those that do: test_data.)"""

import sys

import pdu
import scsi
from harness import Failed, Suite, check, equal
from iscsi import Closed
from pdu import Pdu
from session import WRITE_FLAG, Session
from victim import BLOCKS, LBA, SIZE, Victim

suite = Suite()

BOTH = {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"}


def digest_victim(b, **keys):
    return Victim(b, {**BOTH, **keys}, **BOTH)


def data_digest_reject(s, itt):
    """7.8: "MUST answer with a Reject PDU with a reason code of Data-Digest-Error"; at level 0
    the connection may end after it."""
    try:
        s.wait(lambda: s.rejects)
    except Closed as e:
        raise Failed("closed without the Reject that 7.8 demands") from e
    p = s.rejects.pop(0)
    equal(p.reason, 0x02, "the reason of the Reject")
    equal(int.from_bytes(p.data[16:20], "big"), itt, "the tag of the rejected header")


def _resume(s, cmdsn):
    """7.8: a discarded command was never received, so its CmdSN is free again."""
    s.nop()
    if s.exp_cmdsn == cmdsn:
        s.cmdsn = cmdsn


@suite.cases([("command", pdu.SCSI_CMD), ("ping", pdu.NOP_OUT), ("data_out", pdu.DATA_OUT)])
def bad_header_digest(b, kind):
    """7.8: never acted upon; without levels above 0 the connection ends."""
    with digest_victim(b) as v:
        p = Pdu(kind, immediate=kind != pdu.DATA_OUT, flags=pdu.FINAL, ttt=pdu.NO_TAG, itt=0x55) \
            if kind != pdu.SCSI_CMD else Pdu(kind, flags=pdu.FINAL | 1, cdb=scsi.tur(), itt=0x55,
                                             lun=pdu.lun_field(1), cmdsn=v.s.cmdsn)
        v.s.conn.send(p, flip_header=1)
        got = v.s.expect_closed()
        check(not [x for x in got if x.opcode not in (pdu.ASYNC, pdu.REJECT)], f"answered by {got}")


@suite.case
def bad_header_digest_leaves_others(b):
    with digest_victim(b) as v, Session(b.addr, v.t.name, BOTH) as other:
        other.clear_ua()
        v.s.conn.send(Pdu(pdu.NOP_OUT, flags=pdu.FINAL, itt=1), flip_header=0x80000000)
        v.s.expect_closed()
        other.read(0, 64)


@suite.case
def bad_digest_of_immediate_data(b):
    with digest_victim(b, ImmediateData="Yes") as v:
        p = Pdu(pdu.SCSI_CMD, data=v.data, flags=pdu.FINAL | WRITE_FLAG | 1, edtl=SIZE,
                cdb=scsi.write(LBA, BLOCKS), lun=pdu.lun_field(1))
        v.s.stamp(p)
        v.s.conn.send(p, flip_data=1)
        data_digest_reject(v.s, p.itt)
        v.untouched()
        try:
            _resume(v.s, p.cmdsn)
            v.s.write(LBA, v.data)
        except Closed:
            return
        check(v.on_disk()[512:-512] == v.data, "the write that was repeated differs")


@suite.cases([("first", 0), ("middle", 1), ("last", 3)])
def bad_digest_of_data_out(b, bad):
    """7.8: Reject, then CHECK CONDITION with "protocol service CRC error" (11.4.7.2) when the
    sequence is over, or a recovery R2T; never GOOD."""
    with digest_victim(b) as v:
        v.begin(unsolicited=0)
        r = v.first_r2t()
        v.task.r2ts.clear()
        v.task.open_r2ts.clear()
        try:
            for n in range(4):
                p = v.s.data_out(v.task, n * 2048, 2048, r.ttt, n, n == 3)
                v.s.conn.send(p, flip_data=1 if n == bad else 0)
        except Closed:
            pass
        data_digest_reject(v.s, v.task.itt)
        try:
            v.s.wait(lambda: v.task.done or v.task.r2ts)
        except Closed:
            return
        if v.task.done:
            equal(v.task.status, scsi.CHECK_CONDITION, "the status")
            equal((v.task.sense.key, v.task.sense.code), (scsi.ABORTED_COMMAND, scsi.CRC_ERROR),
                  "the sense")
            v.s.clear_ua()


@suite.case
def bad_digest_of_unsolicited_data(b):
    with digest_victim(b, InitialR2T="No") as v:
        t = v.begin(flags=WRITE_FLAG | 1, unsolicited=0)
        t.next_r2t = SIZE
        v.s.conn.send(v.s.data_out(t, 0, SIZE, pdu.NO_TAG), flip_data=1)
        data_digest_reject(v.s, t.itt)
        try:
            v.s.wait(lambda: t.done)
        except Closed:
            return
        equal((t.status, t.sense.key), (scsi.CHECK_CONDITION, scsi.ABORTED_COMMAND), "the outcome")
        v.untouched()


@suite.case
def bad_digest_of_a_ping(b):
    with digest_victim(b) as v:
        p = Pdu(pdu.NOP_OUT, data=b"ping", immediate=True, flags=pdu.FINAL, ttt=pdu.NO_TAG)
        v.s.stamp(p)
        v.s.conn.send(p, flip_data=0xFFFFFFFF)
        data_digest_reject(v.s, p.itt)
        try:
            v.s.nop(b"still here?")
        except Closed:
            pass


@suite.case
def bad_digest_of_text(b):
    with digest_victim(b) as v:
        p = Pdu(pdu.TEXT_REQ, data=pdu.text({"SendTargets": ""}), flags=pdu.FINAL, ttt=pdu.NO_TAG)
        v.s.stamp(p)
        v.s.conn.send(p, flip_data=1)
        data_digest_reject(v.s, p.itt)


@suite.case
def digest_missing(b):
    """Digests agreed, none sent: the next bytes are taken for one; the connection ends."""
    with digest_victim(b) as v:
        v.s.conn.send_raw(Pdu(pdu.NOP_OUT, data=b"1234", immediate=True, flags=pdu.FINAL, itt=9,
                              ttt=pdu.NO_TAG).encode() * 4)
        check(not [p for p in v.s.expect_closed() if p.opcode == pdu.NOP_IN], "an echo")


if __name__ == "__main__":
    sys.exit(suite.run())
