#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Sessions: reinstatement, logout, pings, async messages, opcodes nobody knows, and the end
(RFC 7143 6.3.4, 6.3.5, 11.9, 11.14 to 11.19)."""

import re
import socket
import struct
import sys
import time

import pdu
import scsi
from daemon import Daemon
from expect import CLOSED, INITIATOR_ERRORS, good, login_outcome, login_refused
from harness import Failed, Suite, among, check, equal, until
from iscsi import INITIATOR, Closed, Timeout, login_keys
from pdu import Pdu
from session import Rejected, Session, healthy

suite = Suite()

OTHER = INITIATOR + ".other"


def nexuses(b):
    """The session ids that tgtadm shows for the target."""
    out = b.d.adm("--mode", "conn", "--op", "show", "--tid", str(b.target.tid)).stdout
    return [int(n) for n in re.findall(r"^Session: (\d+)$", out, re.M)]


# -- reinstatement and coexistence --------------------------------------------

@suite.case
def same_isid_reinstates(b):
    """6.3.5: a login with the same name, ISID and TSIH 0 ends the old session."""
    old = Session(b.addr, b.iqn)
    old.clear_ua()
    with Session(b.addr, b.iqn, isid=old.isid) as new:
        old.expect_closed()
        new.clear_ua()
        new.read(0, 8)
        equal(len(nexuses(b)), 1, "sessions that tgtadm shows")


@suite.case
def reinstated_again_and_again(b):
    last = Session(b.addr, b.iqn)
    for _ in range(50):
        last, old = Session(b.addr, b.iqn, isid=last.isid), last
        old.expect_closed()
        old.close()
    with last:
        last.clear_ua()
        last.read(0, 8)


def established(server, client):
    """The kernel has not heard yet of the end of the connection between these ports (proc(5))."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f][1:]
    ends = f":{server:04X}", f":{client:04X}"
    return any(state == "01" and local.endswith(ends[0]) and remote.endswith(ends[1])
               for _, local, remote, state, *_ in rows)


@suite.case
def what_a_left_session_held_is_free_for_the_next(b):
    """SPC-2 5.5.1: I_T nexus loss ends a reservation.  An initiator that has closed its
    connection and logs in by another port must not meet what it held before."""
    for _ in range(20):
        old = Session(b.addr, b.iqn)
        old.clear_ua()
        good(old.scsi(scsi.reserve6()))
        for _ in range(16):             # its reactor has other things to do
            old.start(scsi.verify(0, 16384, 16))
        port = old.conn.sock.getsockname()[1]
        old.close()
        until("the kernel knows of the end", lambda port=port: not established(b.addr[1], port))
        with Session(b.addr, b.iqn) as new:
            new.clear_ua()
            good(new.scsi(scsi.reserve6()))


@suite.case
def reinstated_in_the_middle_of_a_write(b):
    """6.3.5, 7.6: tasks of the old session end with it."""
    old = Session(b.addr, b.iqn, {"ImmediateData": "No"})
    old.clear_ua()
    old.write(4096, b"\x01" * 4096)
    t = old.start(scsi.write(4096, 8), out=b"\x02" * 4096, manual=True)
    old.wait(lambda: t.r2ts)
    with Session(b.addr, b.iqn, isid=old.isid) as new:
        old.expect_closed()
        new.clear_ua()
        check(new.read(4096, 8) == b"\x01" * 4096, "data that never came was written")


@suite.cases([("isid", {"isid": b"\x80\x12\x34\x56\x78\x9a"}), ("initiator", {"initiator": OTHER})])
def sessions_coexist(b, change):
    with Session(b.addr, b.iqn) as one, \
            Session(b.addr, b.iqn, **{"isid": one.isid, **change}) as two:
        for s in (one, two, one):
            s.clear_ua()
            s.read(0, 8)
        check(one.tsih != two.tsih or "initiator" in change, "one TSIH for two sessions")


@suite.case
def same_isid_at_another_target(b):
    """The ISID rule is per target portal group: two targets, two sessions."""
    other = b.d.target(mb=1)
    with Session(b.addr, b.iqn) as one, Session(b.addr, other.name, isid=one.isid) as two:
        for s in (one, two, one):
            s.clear_ua()
            s.read(0, 8)


@suite.case
def discovery_beside_normal(b):
    with Session(b.addr, b.iqn) as one, Session(b.addr, isid=one.isid) as two:
        one.clear_ua()
        two.text({"SendTargets": "All"})
        one.read(0, 8)


# -- connections that would join ----------------------------------------------

@suite.case
def second_connection_refused(b):
    """MaxConnections is 1: 0x0206, "too many connections"; the session stays."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        login_refused(b, lambda l: l.run(login_keys(b.iqn)), (0x0206,),
                      isid=s.isid, tsih=s.tsih, cid=1)
        s.read(0, 8)


@suite.case
def connection_reinstatement(b):
    """6.3.4: same ISID, TSIH and CID takes the place of the connection, or is refused."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        got = login_outcome(b, lambda l: l.run(login_keys(b.iqn)), isid=s.isid, tsih=s.tsih, cid=0)
        among(got, (0, *INITIATOR_ERRORS, CLOSED), "the outcome")
        if got:
            s.read(0, 8)
        else:
            s.expect_closed()


@suite.cases([("other_isid", {"isid": b"\x80\0\0\0\x77\x77"}, INITIATOR),
              ("other_initiator", {}, OTHER)])
def join_with_wrong_identity(b, change, initiator):
    """TSIH, ISID and name identify a session together (11.12.6): 0x020a, or another refusal."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        login_refused(b, lambda l: l.run(login_keys(b.iqn, initiator)),
                      **{"isid": s.isid, "tsih": s.tsih, "cid": 0, **change})
        s.read(0, 8)


# -- ends ---------------------------------------------------------------------

def _leave_close(s):
    s.close()


def _leave_reset(s):
    s.conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def _leave_half(s):
    """We send no more; the target has nobody to serve and closes its side, too."""
    s.conn.sock.shutdown(socket.SHUT_WR)
    s.expect_closed()
    s.close()


@suite.cases([("close", _leave_close), ("reset", _leave_reset), ("half", _leave_half)])
def connection_ends(b, leave):
    """The session goes with its only connection: from tgtadm's list, and its descriptor."""
    until("no sessions at the start", lambda: not nexuses(b))
    fds = b.d.nr_fds()
    for _ in range(10):
        s = Session(b.addr, b.iqn)
        s.clear_ua()
        s.start(scsi.read(0, 2048), read=1 << 20)
        leave(s)
    until("no session is left", lambda: not nexuses(b))
    until("descriptors are closed", lambda: b.d.nr_fds() <= fds)


@suite.case
def tgtadm_closes_a_connection(b):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        sid = nexuses(b)[-1]
        b.d.adm("--mode", "conn", "--op", "delete", "--tid", str(b.target.tid), "--sid", str(sid),
                "--cid", "0")
        s.expect_closed()
        until("no session is left", lambda: not nexuses(b))


@suite.cases([("session", 0, True), ("connection", 1, True), ("session_queued", 0, False),
              ("connection_queued", 1, False)])
def logout(b, reason, immediate):
    """11.14, 11.15: response 0, then the target closes."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        rsp = s.logout(reason, immediate=immediate)
        equal(rsp.response, 0, "the response")
        equal(s.expect_closed(), [], "what follows the logout")


@suite.case
def logout_of_session_ignores_cid(b):
    """11.14.3: the CID counts only for the other reasons."""
    with Session(b.addr, b.iqn) as s:
        equal(s.logout(0, cid=99).response, 0, "the response")
        s.expect_closed()


@suite.case
def logout_of_unknown_cid(b):
    """11.15.1: response 1, "CID not found"; the session goes on."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        equal(s.logout(1, cid=99).response, 1, "the response")
        s.read(0, 8)


@suite.case
def logout_for_recovery(b):
    """11.15.1: response 2, not supported below error recovery level 2."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        equal(s.logout(2).response, 2, "the response")
        s.read(0, 8)


@suite.cases([("3", 3), ("64", 64), ("127", 127)])
def logout_for_no_reason(b, reason):
    """11.14.1: other values are reserved: a Reject, a failure, or the end."""
    with Session(b.addr, b.iqn) as s:
        try:
            check(s.logout(reason).response != 0, "a reserved reason logs out")
        except Rejected as e:
            among(e.reason, (0x04, 0x09), "the reason of the Reject")
        except Closed:
            pass


@suite.case
def logout_in_the_middle_of_a_write(b):
    with Session(b.addr, b.iqn, {"ImmediateData": "No"}) as s:
        s.clear_ua()
        t = s.start(scsi.write(4096, 8), out=bytes(4096), manual=True)
        s.wait(lambda: t.r2ts)
        equal(s.logout(0).response, 0, "the response")
        s.expect_closed()
    until("the session is gone", lambda: not nexuses(b))


# -- pings --------------------------------------------------------------------

@suite.cases([(f"{size}_{'immediate' if imm else 'queued'}", size, imm)
              for size in (0, 1, 3, 4, 511, 4096, 8192) for imm in (True, False)])
def ping(b, size, immediate):
    """11.18, 11.19: the echo returns the data; TTT is reserved in it."""
    data = bytes(n * 7 & 255 for n in range(size))
    with Session(b.addr, b.iqn) as s:
        rsp = s.nop(data, immediate)
        check(rsp.data == data, f"the echo of {size} bytes differs")
        equal(rsp.ttt, pdu.NO_TAG, "the TTT")
        check(rsp.final, "11.19: F is set")


@suite.case
def ping_longer_than_we_take(b):
    """11.18.3: the echo holds at most our MaxRecvDataSegmentLength."""
    with Session(b.addr, b.iqn, {"MaxRecvDataSegmentLength": "512"}) as s:
        data = bytes(range(256)) * 16
        check(s.nop(data).data == data[:512], "not the first 512 bytes")


@suite.case
def ping_without_answer(b):
    """11.18.1: ITT reserved and TTT reserved asks for nothing."""
    with Session(b.addr, b.iqn) as s:
        for _ in range(3):
            s.conn.send(Pdu(pdu.NOP_OUT, immediate=True, flags=pdu.FINAL, itt=pdu.NO_TAG,
                            ttt=pdu.NO_TAG, cmdsn=s.cmdsn, exp_statsn=s.exp_statsn))
        s.nothing_came()


@suite.case
def answer_to_no_ping(b):
    """A TTT that the target never gave: ignored or rejected; the session serves on, or ends."""
    with Session(b.addr, b.iqn) as s:
        s.conn.send(Pdu(pdu.NOP_OUT, immediate=True, flags=pdu.FINAL, itt=pdu.NO_TAG,
                        ttt=0x1234, cmdsn=s.cmdsn, exp_statsn=s.exp_statsn))
        try:
            s.nop(b"after")
            for p in s.rejects:
                among(p.reason, (0x04, 0x09), "the reason")
        except Closed:
            pass


@suite.case
def target_pings_and_we_answer(b):
    """nop_interval: an idle session that answers lives on, for more pings than nop_count."""
    with Daemon("portal=127.0.0.1:0,nop_interval=1,nop_count=2") as d:
        t = d.target(mb=1)
        with Session(d.addr, t.name) as s:
            s.wait(lambda: len(s.pings) >= 4)
            for p in s.pings:
                equal(p.itt, pdu.NO_TAG, "11.19: the ITT of the target's ping")
                check(p.ttt != pdu.NO_TAG, "a ping that cannot be answered")
            s.clear_ua()


@suite.case
def target_pings_and_nobody_answers(b):
    """nop_count: silence ends the connection, not before that many pings."""
    with Daemon("portal=127.0.0.1:0,nop_interval=1,nop_count=2") as d:
        t = d.target(mb=1)
        with Session(d.addr, t.name, auto_pong=False) as s:
            begin = time.monotonic()
            got = s.expect_closed(20)
            pings = [p for p in got if p.opcode == pdu.NOP_IN]
            check(len(pings) >= 2, f"{len(pings)} pings before the end")
            check(time.monotonic() - begin > 1.5, "the end came too soon")
        healthy(d.addr, t.name)


@suite.case
def no_pings_by_default(b):
    with Session(b.addr, b.iqn) as s:
        try:
            s.pump(timeout=3)
            raise Failed("a PDU without a request")
        except Timeout:
            pass


# -- what nobody asked for ----------------------------------------------------

UNKNOWN = [op for op in range(0x20) if op not in pdu.NAMES]


@suite.cases([(f"0x{op:02x}", op) for op in UNKNOWN])
def unknown_opcode(b, opcode):
    """11.17.1: Reject, reason 5, "command not supported"; the session goes on."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        p = Pdu(opcode, immediate=True, flags=pdu.FINAL, itt=0x4242)
        p.bhs[24:28] = s.cmdsn.to_bytes(4, "big")
        s.conn.send(p)
        s.wait(lambda: s.rejects)
        equal(s.rejects[0].reason, 0x05, "the reason")
        equal(bytes(s.rejects[0].data[:48]), bytes(p.bhs), "the header that comes back")
        s.read(0, 8)


@suite.cases([(f"0x{op:02x}", op) for op in range(0x20, 0x40)])
def opcode_of_a_target(b, opcode):
    """Only a target sends these: a Reject (4 or 5), or the end."""
    with Session(b.addr, b.iqn) as s:
        s.conn.send(Pdu(opcode, immediate=True, flags=pdu.FINAL, itt=0x4242))
        try:
            s.wait(lambda: s.rejects)
            among(s.rejects[0].reason, (0x04, 0x05, 0x09), "the reason")
        except Closed:
            pass


@suite.cases([("data_or_r2t", 0), ("status", 1), ("data_ack", 2), ("rdata", 3), ("reserved", 9)])
def snack(b, kind):
    """11.16: at error recovery level 0 no SNACK is granted: Reject 3, 4, 5 or 9, or the end."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        s.conn.send(Pdu(pdu.SNACK_REQ, flags=pdu.FINAL | kind, itt=pdu.NO_TAG, ttt=pdu.NO_TAG,
                        exp_statsn=s.exp_statsn, run_length=1))
        try:
            s.wait(lambda: s.rejects)
            among(s.rejects[0].reason, (0x03, 0x04, 0x05, 0x09), "the reason")
            s.read(0, 8)
        except Closed:
            pass


@suite.case
def login_again_elsewhere_while_closing(b):
    """A session that leaves and comes back at once, many times, with the same ISID."""
    isid = None
    for _ in range(50):
        s = Session(b.addr, b.iqn, isid=isid)
        isid = s.isid
        _leave_reset(s)
    with Session(b.addr, b.iqn, isid=isid) as s:
        s.clear_ua()


@suite.case
def many_sessions(b):
    """Two hundred at once: each is served, none costs a thread, all are given back."""
    until("no sessions at the start", lambda: not nexuses(b))
    fds, threads = b.d.nr_fds(), b.d.nr_threads()
    sessions = []
    try:
        for _ in range(200):
            sessions.append(Session(b.addr, b.iqn))
        for s in sessions:
            s.clear_ua()
            s.read(0, 8)
        equal(len(nexuses(b)), 200, "sessions that tgtadm shows")
        equal(b.d.nr_threads(), threads, "threads")
    finally:
        for s in sessions:
            s.close()
    until("no session is left", lambda: not nexuses(b))
    until("descriptors are closed", lambda: b.d.nr_fds() <= fds)


# -- SIGTERM ------------------------------------------------------------------

def _ended(d, seconds):
    until("tgtd ends after SIGTERM", lambda: d.proc.poll() is not None, seconds)
    equal(d.proc.returncode, 0, "the exit code")


def _async_logout(s):
    """11.9.1: event 1, "target requests logout"; parameter 3 is the time we have."""
    s.wait(lambda: s.asyncs)
    p = s.asyncs[0]
    equal(p.event, 1, "AsyncEvent")
    equal(p.itt, pdu.NO_TAG, "11.9: bytes 16 to 19 are all ones")
    check(p.final, "11.9: bit 7 is 1")


@suite.case
def sigterm_asks_for_logout(b):
    with Daemon() as d:
        t = d.target(mb=1)
        sessions = [Session(d.addr, t.name) for _ in range(3)]
        d.terminate()
        for s in sessions:
            _async_logout(s)
            equal(s.logout(0).response, 0, "the response")
            s.expect_closed()
            s.close()
        _ended(d, 5)


@suite.case
def sigterm_does_not_wait_for_ever(b):
    """Sessions that ignore the request, one of them in the middle of a write, one in its login."""
    with Daemon() as d:
        t = d.target(mb=4)
        with Session(d.addr, t.name) as idle, Session(d.addr) as discovery, \
                Session(d.addr, t.name, {"ImmediateData": "No"}) as busy, \
                socket.create_connection(d.addr):
            busy.clear_ua()
            task = busy.start(scsi.write(4096, 8), out=bytes(4096), manual=True)
            busy.wait(lambda: task.r2ts)
            d.terminate()
            _async_logout(idle)
            _ended(d, 5)
            for s in (idle, discovery, busy):
                s.expect_closed()


@suite.case
def sigterm_keeps_what_was_acknowledged(b):
    with Daemon() as d:
        t = d.target(mb=4)
        path = t.paths[1]
        with Session(d.addr, t.name) as s:
            s.clear_ua()
            for n in range(64):
                s.write(4096 + n * 8, bytes([n]) * 4096)
            d.terminate()
            _ended(d, 5)
        with open(path, "rb") as f:
            f.seek(4096 * 512)
            check(f.read(64 * 4096) == b"".join(bytes([n]) * 4096 for n in range(64)),
                  "the file lacks what was written")


if __name__ == "__main__":
    sys.exit(suite.run())
