# SPDX-License-Identifier: BSD-3-Clause
"""A session in full feature phase: numbering, tasks, data in both directions.

Everything that arrives is checked against RFC 7143 as it arrives, so a test
that only wants its data also proves sequence numbers, bursts and residuals.
"""

import itertools

import pdu
import scsi
from iscsi import INITIATOR, NORMAL_KEYS, TIMEOUT, Conn, Login, WireError, login_keys
from pdu import Pdu

UNTAGGED, SIMPLE, ORDERED, HEAD, ACA = 0, 1, 2, 3, 4        # 11.3.1

READ_FLAG, WRITE_FLAG = 0x40, 0x20
RESIDUAL_O, RESIDUAL_U = 0x04, 0x02                         # 11.4.1

ABORT_TASK, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET = 1, 2, 3, 4      # 11.5.1
LUN_RESET, TARGET_WARM_RESET, TARGET_COLD_RESET, TASK_REASSIGN = 5, 6, 7, 8


class Rejected(WireError):
    def __init__(self, p):
        self.pdu, self.reason = p, p.reason
        super().__init__(f"rejected, reason 0x{p.reason:02x}")


def serial_lt(a, b):
    """RFC 1982 order of 32-bit numbers, 4.2.2.1."""
    return 0 < (b - a) & 0xFFFFFFFF < 0x80000000


class Task:
    """A SCSI command under way, later its result."""

    def __init__(self, itt, edtl, reads, out, manual):
        self.itt, self.edtl, self.reads = itt, edtl, reads
        self.out, self.manual = out, manual
        self.datain = bytearray()
        self.datasn = self.r2tsn = self.burst = self.next_r2t = 0
        self.data_pdus, self.r2ts, self.open_r2ts = [], [], set()
        self.rsp = self.reject = None
        self.status = self.response = self.sense = None

    @property
    def done(self):
        return self.rsp is not None

    @property
    def residual(self):
        """Bytes: above zero for overflow, below for underflow."""
        flags, count = self.rsp.flags, self.rsp.residual
        return count if flags & RESIDUAL_O else -count if flags & RESIDUAL_U else 0

    def __repr__(self):
        return f"<status {self.status} response {self.response} {self.sense}>"


class Session:
    """One connection, one session.  ERL 0."""

    def __init__(self, addr, target=None, keys=None, initiator=INITIATOR, isid=None, chap=None,
                 tsih=0, cid=0, cmdsn=1, auto_pong=True, timeout=None):
        self.conn = Conn(addr, timeout)
        self.login = Login(self.conn, isid, tsih, cid, cmdsn)
        offer = {"DefaultTime2Wait": "2", "DefaultTime2Retain": "0"} if not target else NORMAL_KEYS
        try:
            last = self.login.run(login_keys(target, initiator), chap, {**offer, **(keys or {})})
        except Exception:
            self.conn.close()
            raise
        self.isid, self.tsih, self.neg = self.login.isid, last.tsih, self.login.neg
        if self.tsih == 0:
            raise WireError("11.13.3: the last response of a leading login carries a TSIH")
        self.conn.header_digest = self.neg["HeaderDigest"] == "CRC32C"
        self.conn.data_digest = self.neg["DataDigest"] == "CRC32C"
        self.cmdsn, self.exp_statsn = cmdsn, self.login.exp_statsn
        self.exp_cmdsn, self.max_cmdsn = last.exp_cmdsn, last.max_cmdsn
        self.itts = itertools.count(0x10)
        self.tasks, self.replies = {}, {}
        self.pings, self.asyncs, self.rejects, self.log = [], [], [], None
        self.auto_pong = auto_pong

    def close(self):
        self.conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # -- sending ------------------------------------------------------------

    def stamp(self, p):
        """Gives @p a tag, ExpStatSN and CmdSN, unless a test set them by sending it itself."""
        if p.itt == 0:
            p.itt = next(self.itts)
        p.exp_statsn = self.exp_statsn
        p.cmdsn = self.cmdsn
        if not p.bhs[0] & pdu.IMMEDIATE:
            self.wait(lambda: not serial_lt(self.max_cmdsn, self.cmdsn))
            self.cmdsn = (self.cmdsn + 1) & 0xFFFFFFFF
        return p

    def request(self, p, timeout=None):
        """Sends @p and returns the PDU that answers its tag."""
        self.conn.send(self.stamp(p))
        return self.reply(p.itt, timeout)

    def reply(self, itt, timeout=None):
        self.wait(lambda: itt in self.replies or self._rejected(itt), timeout)
        if itt not in self.replies:
            raise Rejected(self._rejected(itt))
        return self.replies.pop(itt)

    def _rejected(self, itt):
        for p in self.rejects:
            if int.from_bytes(p.data[16:20], "big") == itt:
                return p
        return None

    def start(self, cdb, lun=1, read=0, out=b"", edtl=None, immediate=False, attr=SIMPLE,
              manual=False, immediate_data=None, flags=None, ahs=b"", unsolicited=None):
        """Sends a SCSI Command.  @read: bytes wanted; @out: bytes to write.

        Write data goes as the negotiated keys allow: immediate, then unsolicited,
        then on R2T (unless @manual).  immediate_data and unsolicited override how many.
        """
        neg, total = self.neg, len(out)
        first = min(neg["FirstBurstLength"], total)
        imm = unsol = 0
        if neg["ImmediateData"] == "Yes":
            imm = min(first, neg["TargetMaxRecv"])
        if immediate_data is not None:
            imm = immediate_data
        if neg["InitialR2T"] == "No":
            unsol = max(0, first - imm)
        if unsolicited is not None:
            unsol = unsolicited
        if flags is None:
            flags = attr | (READ_FLAG if read else 0) | (WRITE_FLAG if out else 0)
            flags |= 0 if unsol else pdu.FINAL
        p = Pdu(pdu.SCSI_CMD, data=out[:imm], immediate=immediate, flags=flags, cdb=cdb, ahs=ahs,
                lun=pdu.lun_field(lun),
                edtl=edtl if edtl is not None else (len(out) or read))
        self.stamp(p)
        t = self.tasks[p.itt] = Task(p.itt, p.edtl, bool(flags & READ_FLAG), out, manual)
        t.lun, t.cmdsn = p.lun, p.cmdsn
        t.next_r2t = imm + unsol
        self.conn.send(p)
        if unsol:
            self.send_data(t, imm, unsol, pdu.NO_TAG)
        return t

    def send_data(self, t, offset, length, ttt, last=True, chunk=None, datasn=0):
        """One sequence of Data-Out, 11.7; F ends it."""
        chunk = chunk or self.neg["TargetMaxRecv"]
        end = offset + length
        while offset < end:
            n = min(chunk, end - offset)
            self.conn.send(self.data_out(t, offset, n, ttt, datasn, last and offset + n == end))
            offset, datasn = offset + n, datasn + 1

    def data_out(self, t, offset, length, ttt, datasn=0, final=True):
        return Pdu(pdu.DATA_OUT, data=t.out[offset:offset + length], itt=t.itt, ttt=ttt, lun=t.lun,
                   flags=pdu.FINAL if final else 0, datasn=datasn, offset=offset,
                   exp_statsn=self.exp_statsn)

    def finish(self, t, timeout=None):
        self.wait(lambda: t.done or t.reject, timeout)
        if t.reject and not t.done:
            raise Rejected(t.reject)
        self.tasks.pop(t.itt, None)
        return t

    def scsi(self, cdb, timeout=None, **how):
        return self.finish(self.start(cdb, **how), timeout)

    # -- receiving ----------------------------------------------------------

    def wait(self, until, timeout=None):
        """Receives PDUs until @until() is true."""
        while not until():
            self.pump(timeout)

    def pump(self, timeout=None):
        p = self.conn.recv(timeout or TIMEOUT)
        if self.log is not None:
            self.log.append(p)
        self._numbers(p)
        op = p.opcode
        if op == pdu.NOP_IN and p.itt == pdu.NO_TAG:
            self._ping(p)
        elif op == pdu.ASYNC:
            self.asyncs.append(p)
        elif op == pdu.REJECT:
            self._reject(p)
        elif op in (pdu.DATA_IN, pdu.R2T, pdu.SCSI_RSP):
            t = self.tasks.get(p.itt)
            if not t or t.done:
                raise WireError(f"answers no task of ours: {p}")
            {pdu.DATA_IN: self._data_in, pdu.R2T: self._r2t, pdu.SCSI_RSP: self._response}[op](t, p)
        else:
            self.replies[p.itt] = p
        return p

    def _numbers(self, p):
        """StatSN 11.4.9, ExpCmdSN and MaxCmdSN 11.4.10, 11.4.11."""
        if p.opcode not in pdu.NAMES or p.opcode < 0x20:
            raise WireError(f"no PDU for an initiator: {p}")
        if p.opcode != pdu.DATA_IN or p.flags & 1:
            if p.statsn != self.exp_statsn:
                raise WireError(f"StatSN {p.statsn}, expected {self.exp_statsn}: {p}")
            if p.opcode != pdu.R2T and not (p.opcode == pdu.NOP_IN and p.itt == pdu.NO_TAG):
                self.exp_statsn = (self.exp_statsn + 1) & 0xFFFFFFFF
        if serial_lt(p.max_cmdsn, (p.exp_cmdsn - 1) & 0xFFFFFFFF):
            raise WireError(f"MaxCmdSN {p.max_cmdsn} below ExpCmdSN {p.exp_cmdsn} - 1")
        if serial_lt(self.exp_cmdsn, p.exp_cmdsn):
            self.exp_cmdsn = p.exp_cmdsn
        if serial_lt(self.max_cmdsn, p.max_cmdsn):
            self.max_cmdsn = p.max_cmdsn
        if serial_lt(self.cmdsn, self.exp_cmdsn):
            raise WireError(f"ExpCmdSN {self.exp_cmdsn}, but we only sent up to {self.cmdsn - 1}")

    def _ping(self, p):
        self.pings.append(p)
        if p.ttt != pdu.NO_TAG and self.auto_pong:
            self.pong(p)

    def pong(self, p):
        """Answers a NOP-In: ITT reserved, TTT and LUN as received, 11.18."""
        self.conn.send(Pdu(pdu.NOP_OUT, immediate=True, flags=pdu.FINAL, itt=pdu.NO_TAG,
                           ttt=p.ttt, lun=p.lun, cmdsn=self.cmdsn, exp_statsn=self.exp_statsn,
                           data=p.data))

    def _reject(self, p):
        if len(p.data) < 48:
            raise WireError(f"11.17: a Reject carries the header it rejects: {p}")
        self.rejects.append(p)
        t = self.tasks.get(int.from_bytes(p.data[16:20], "big"))
        if t:
            t.reject = p

    def _data_in(self, t, p):
        """11.7: sizes, DataSN, offsets, bursts, and status when S is set."""
        if p.datasn != t.datasn or p.offset != len(t.datain):
            raise WireError(f"DataSN {p.datasn} offset {p.offset}, expected {t.datasn} and "
                            f"{len(t.datain)}")
        if len(p.data) > self.neg["MaxRecvDataSegmentLength"]:
            raise WireError(f"13.12: {len(p.data)} bytes, we declared less")
        t.datain += p.data
        t.datasn, t.burst = t.datasn + 1, t.burst + len(p.data)
        t.data_pdus.append(p)
        if t.burst > self.neg["MaxBurstLength"]:
            raise WireError(f"13.13: a burst of {t.burst} bytes")
        if len(t.datain) > t.edtl:
            raise WireError(f"11.3.4: {len(t.datain)} bytes of {t.edtl} expected")
        if p.flags & 1 and not p.final:
            raise WireError("11.7.3: S is set, F is not")
        if p.final:
            t.burst = 0
        if p.flags & 1:
            self._complete(t, p, p.status, 0)

    def _response(self, t, p):
        if not p.final:
            raise WireError("11.4.1: bit 7 is always 1")
        if t.data_pdus and not t.data_pdus[-1].final:
            raise WireError("11.7.1: the last Data-In has no F")
        # 11.4.8: Data-In or R2T PDUs sent for the command; without data it is reserved.
        if p.response == 0 and t.reads and p.exp_datasn not in (t.datasn, 0):
            raise WireError(f"ExpDataSN {p.exp_datasn} after {t.datasn} Data-In")
        self._complete(t, p, p.status, p.response)

    def _complete(self, t, p, status, response):
        t.rsp, t.status, t.response = p, status, response
        if p.flags & RESIDUAL_O and p.flags & RESIDUAL_U:
            raise WireError("11.4.1: O and U exclude each other")
        if p.opcode == pdu.SCSI_RSP and p.data:
            size = int.from_bytes(p.data[:2], "big")        # 11.4.7
            if size + 2 > len(p.data):
                raise WireError(f"SenseLength {size} in {len(p.data)} bytes")
            t.sense = scsi.parse_sense(p.data[2:2 + size])

    def _r2t(self, t, p):
        """11.8: numbers, order, bursts."""
        if p.r2tsn != t.r2tsn or p.offset != t.next_r2t:
            raise WireError(f"R2TSN {p.r2tsn} offset {p.offset}, expected {t.r2tsn} and "
                            f"{t.next_r2t}")
        if p.ttt == pdu.NO_TAG or p.ttt in t.open_r2ts:
            raise WireError(f"11.8.5: Target Transfer Tag {p.ttt:#x}")
        if not 0 < p.length <= self.neg["MaxBurstLength"]:
            raise WireError(f"11.8.4: an R2T for {p.length} bytes")
        if p.offset + p.length > t.edtl:
            raise WireError(f"11.8.4: R2T beyond the expected {t.edtl} bytes")
        t.r2tsn, t.next_r2t = t.r2tsn + 1, p.offset + p.length
        t.open_r2ts.add(p.ttt)
        if len(t.open_r2ts) > self.neg["MaxOutstandingR2T"]:
            raise WireError(f"13.17: {len(t.open_r2ts)} R2Ts outstanding")
        t.r2ts.append(p)
        if not t.manual:
            self.answer_r2t(t, p)

    def answer_r2t(self, t, p):
        self.send_data(t, p.offset, p.length, p.ttt)
        t.open_r2ts.discard(p.ttt)

    # -- other requests -----------------------------------------------------

    def nop(self, data=b"", immediate=True, timeout=None):
        """A ping that wants an echo, 11.18: ITT valid, TTT reserved."""
        return self.request(Pdu(pdu.NOP_OUT, data=data, immediate=immediate, flags=pdu.FINAL,
                                ttt=pdu.NO_TAG), timeout)

    def tmf(self, function, lun=1, rtt=pdu.NO_TAG, ref_cmdsn=0, immediate=True, timeout=None):
        return self.request(Pdu(pdu.TMF_REQ, immediate=immediate, flags=pdu.FINAL | function,
                                lun=pdu.lun_field(lun), rtt=rtt, ref_cmdsn=ref_cmdsn), timeout)

    def text(self, keys, timeout=None, immediate=False):
        """A Text negotiation to its end; the answer may take several PDUs (11.11).  -> pairs"""
        data = keys if isinstance(keys, bytes) else pdu.text(keys)
        p = Pdu(pdu.TEXT_REQ, data=data, flags=pdu.FINAL, ttt=pdu.NO_TAG, immediate=immediate)
        rsp, out = self.request(p, timeout), b""
        while True:
            out += rsp.data
            if rsp.final:
                break
            if rsp.ttt == pdu.NO_TAG:
                raise WireError(f"11.11.4: neither F nor a tag to go on with: {rsp}")
            rsp = self.request(Pdu(pdu.TEXT_REQ, flags=pdu.FINAL, ttt=rsp.ttt, lun=rsp.lun,
                                   itt=p.itt, immediate=immediate), timeout)
        if rsp.flags & pdu.CONTINUE or rsp.ttt != pdu.NO_TAG:
            raise WireError(f"11.11: F goes with a reserved TTT and without C: {rsp}")
        return pdu.parse_text(out)

    def logout(self, reason=0, cid=None, timeout=None, immediate=True):
        p = Pdu(pdu.LOGOUT_REQ, immediate=immediate, flags=pdu.FINAL | reason,
                cid=self.login.cid if cid is None else cid)
        return self.request(p, timeout)

    # -- shorthands ---------------------------------------------------------

    def clear_ua(self, lun=1):
        """TEST UNIT READY until the unit attentions of a new nexus are told."""
        for _ in range(8):
            t = self.scsi(scsi.tur(), lun=lun)
            if t.status == scsi.GOOD:
                return self
            if t.status != scsi.CHECK_CONDITION or t.sense.key != scsi.UNIT_ATTENTION:
                raise WireError(f"TEST UNIT READY: {t}")
        raise WireError("unit attentions without end")

    def read(self, lba, blocks, lun=1, size=10, bs=512):
        t = self.scsi(scsi.read(lba, blocks, size), lun=lun, read=blocks * bs)
        if t.status != scsi.GOOD or t.residual:
            raise WireError(f"READ({size}) of {blocks} at {lba}: {t}")
        return bytes(t.datain)

    def write(self, lba, data, lun=1, size=10, bs=512, flags=0):
        t = self.scsi(scsi.write(lba, len(data) // bs, size, flags), lun=lun, out=data)
        if t.status != scsi.GOOD or t.residual:
            raise WireError(f"WRITE({size}) of {len(data)} bytes at {lba}: {t}")
        return t

    def nothing_came(self):
        """A ping comes back and nothing else did: what was sent before it has no answer."""
        before = self.exp_statsn
        self.nop()
        if (self.exp_statsn - before) & 0xFFFFFFFF != 1:
            raise WireError("an answer came where none may")

    def expect_closed(self, timeout=None):
        """The target ends the connection.  Returns what it said before."""
        return self.conn.drain(timeout)


def healthy(addr, target, lun=1, timeout=None):
    """A new session reads: the daemon serves."""
    with Session(addr, target, timeout=timeout) as s:
        s.clear_ua(lun)
        s.read(0, 8, lun)
        s.logout()

