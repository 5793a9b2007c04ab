#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""The login phase, RFC 7143 6.3, 11.12 and 11.13: stages, fields, refusals, bounds."""

import sys
import time

import pdu
from expect import CLOSED, INITIATOR_ERRORS, login_outcome, login_refused
from harness import Suite, among, check, equal
from iscsi import (FULL, INITIATOR, NORMAL_KEYS, OPERATIONAL, SECURITY, Closed, Conn, Login,
                   LoginFailed, login_keys, login_request)
from pdu import Pdu
from session import Session

suite = Suite()

LOGIN_TIMEOUT_S = 15            # the daemon's, until a login is finished


def keys(b, **more):
    return login_keys(b.iqn, **more)


# -- the legal ways through ---------------------------------------------------

@suite.case
def one_round(b):
    """6.3: an initiator may begin in the operational stage and ask for full feature phase."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        rsp = login.run(keys(b), op_keys=NORMAL_KEYS)
        check(rsp.tsih, "11.13.3: a new session gets a TSIH")
        got = dict(login.got)
        check("TargetPortalGroupTag" in got, "13.9: the first response carries the portal group")
        check(0 <= int(got["TargetPortalGroupTag"], 0) <= 65535, "13.9: 16 bits")
        check(login.neg["TargetMaxRecv"] >= 512, "13.12: at least 512")


@suite.case
def all_stages(b):
    with Conn(b.addr) as conn:
        login = Login(conn)
        rsp, got = login.ask(SECURITY, OPERATIONAL, keys(b, AuthMethod="None"))
        equal(got.get("AuthMethod"), "None", "AuthMethod")
        check(rsp.final and rsp.flags & 3 == OPERATIONAL, "no transit to the operational stage")
        check(rsp.tsih == 0, "11.13.3: TSIH is only in the last response")
        login.operational(NORMAL_KEYS)


@suite.case
def security_straight_to_full(b):
    """11.12.3: NSG 3 may be asked for in stage 0; the target may stay where it is (T=0)."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        rsp, _ = login.ask(SECURITY, FULL, keys(b, AuthMethod="None"))
        for _ in range(4):
            if rsp.final:
                break
            rsp, _ = login.ask(SECURITY, FULL)
        check(rsp.final and rsp.tsih, "never reaches full feature phase")


@suite.case
def authmethod_list_with_none(b):
    """6.2.1: the acceptor picks one of the list; without accounts that is None."""
    with Conn(b.addr) as conn:
        rsp, got = Login(conn).ask(SECURITY, OPERATIONAL, keys(b, AuthMethod="KRB5,SRP,CHAP,None"))
        equal(got.get("AuthMethod"), "None", "AuthMethod")


@suite.case
def transit_not_asked(b):
    """11.13.6: T in a response only when the request has T."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        rsp, _ = login.ask(OPERATIONAL, None, keys(b))
        check(not rsp.final, "T though nobody asked")
        for _ in range(5):
            rsp, _ = login.ask(OPERATIONAL)
            check(not rsp.final, "T though nobody asked")
        login.operational(NORMAL_KEYS)


@suite.case
def a_key_a_round(b):
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.ask(OPERATIONAL, None, keys(b))
        for key, value in NORMAL_KEYS.items():
            _, got = login.ask(OPERATIONAL, None, {key: value})
            if key != "MaxRecvDataSegmentLength":               # declarative, needs no answer
                check(key in got, f"6.2: {key} has no answer")
        login.operational({})


@suite.cases([(f"{n}_bytes_a_pdu", n) for n in (1, 7, 64)])
def continued_keys(b, chunk):
    """6.2, 11.12.2: pairs split anywhere by C; each part is answered empty, C and T clear."""
    data = pdu.text({**keys(b), **NORMAL_KEYS})
    with Conn(b.addr) as conn:
        login = Login(conn)
        end = len(data) - (len(data) - 1) % chunk - 1
        for at in range(0, end, chunk):
            login.request(OPERATIONAL, None, data[at:at + chunk], cont=True)
            rsp = login.reply()
            equal(rsp.status_class, 0, "the status class")
            check(not rsp.data and not rsp.flags & 0xC0, f"wanted an empty answer, got {rsp}")
        rsp, got = login.ask(OPERATIONAL, FULL, data[end:])
        check("HeaderDigest" in got, f"the joined keys are not answered: {got}")
        check(rsp.final and rsp.tsih, "no session")


@suite.case
def session_type_defaults_to_normal(b):
    """13.21."""
    with Conn(b.addr) as conn:
        rsp = Login(conn).run({"InitiatorName": INITIATOR, "TargetName": b.iqn})
        check(rsp.tsih, "no session")


@suite.case
def version_range(b):
    """11.12.4: max 1, min 0 has version 0 in common."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        rsp, _ = login.ask(OPERATIONAL, FULL, keys(b), version_max=1)
        equal(rsp.version_active, 0, "Version-active")


@suite.case
def sessions_have_own_tsih(b):
    with Session(b.addr, b.iqn) as one, Session(b.addr, b.iqn) as two:
        check(one.tsih != two.tsih, "two sessions of one initiator share a TSIH")


@suite.case
def zero_padding_nuls(b):
    """6.1: the text segment may be followed by padding only; extra NULs are no key."""
    outcome = login_outcome(b, lambda l: l.ask(OPERATIONAL, FULL, pdu.text(keys(b)) + b"\0\0\0"))
    among(outcome, (0, *INITIATOR_ERRORS, CLOSED), "the outcome")


# -- refusals with a status that the RFC names --------------------------------

@suite.cases([
    ("version", 0x0205, {}, {"version_max": 1, "version_min": 1}),
    ("unknown_target", 0x0203, {"TargetName": "iqn.2001-04.org.example:nobody"}, {}),
    ("missing_initiator", 0x0207, {"InitiatorName": None}, {}),
    ("missing_target", 0x0207, {"TargetName": None}, {}),
    ("unknown_tsih", 0x020A, {}, {"tsih": 0x7FFF}),
])
def refused_with(b, status, change, fields):
    """11.13.5."""
    offer = {k: v for k, v in {**keys(b), **change}.items() if v is not None}
    login = {"tsih": fields.pop("tsih")} if "tsih" in fields else {}
    login_refused(b, lambda l: l.ask(OPERATIONAL, FULL, offer, **fields), (status,), **login)


@suite.cases([
    ("session_type", {"SessionType": "Bogus"}, (0x0209, 0x0200)),
    ("empty_initiator", {"InitiatorName": ""}, (0x0207, 0x0200)),
    ("empty_target", {"TargetName": ""}, (0x0203, 0x0207, 0x0200)),
    ("overlong_initiator", {"InitiatorName": "iqn.2001-04.org.example:" + "x" * 300},
     INITIATOR_ERRORS),
    ("overlong_target", {"TargetName": "iqn.2001-04.org.example:" + "x" * 300}, INITIATOR_ERRORS),
    ("target_of_other_case", {"TargetName": "IQN.2001-04.ORG.EXAMPLE:NOBODY"}, (0x0203, 0x0200)),
])
def refused_value(b, change, legal):
    login_refused(b, lambda l: l.ask(OPERATIONAL, FULL, {**keys(b), **change}), legal)


@suite.case
def names_come_first(b):
    """6.3: the first request of a login names the initiator (and the target)."""
    def dialog(login):
        login.ask(OPERATIONAL, None, {"SessionType": "Normal"})
        login.ask(OPERATIONAL, FULL, keys(b))
    login_refused(b, dialog, (0x0207, 0x0200))


# -- access control -----------------------------------------------------------

@suite.cases([
    ("nothing_bound", None, 0x0202),
    ("all", ("-I", "ALL"), 0),
    ("address", ("-I", "127.0.0.1"), 0),
    ("network", ("-I", "127.0.0.0/8"), 0),
    ("other_address", ("-I", "192.0.2.1"), 0x0202),
    ("other_network", ("-I", "192.0.2.0/24"), 0x0202),
    ("near_network", ("-I", "126.0.0.0/8"), 0x0202),
    ("ipv6_network", ("-I", "2001:db8::/32"), 0x0202),
    ("name", ("-Q", INITIATOR), 0),
    ("other_name", ("-Q", INITIATOR + "x"), 0x0202),
    ("prefix_of_name", ("-Q", INITIATOR[:-1]), 0x0202),
])
def acl(b, bind, want):
    """None bound means nobody may log in; 0x0202 is "authorization failure" (11.13.5)."""
    target = b.d.target(acl=bind)
    login_refused(b, lambda l: l.run(login_keys(target.name)), (want,))


@suite.case
def acl_unbound_again(b):
    target = b.d.target()
    with Session(b.addr, target.name):
        b.d.adm("--mode", "target", "--op", "unbind", "--tid", str(target.tid), "-I", "ALL")
        login_refused(b, lambda l: l.run(login_keys(target.name)), (0x0202,))


# -- stages and fields out of order -------------------------------------------

def _flags(t, csg, nsg):
    return (0x80 if t else 0) | csg << 2 | nsg


@suite.cases([
    ("csg_reserved", _flags(0, 2, 0)),
    ("csg_reserved_with_t", _flags(1, 2, 3)),
    ("csg_full", _flags(1, 3, 3)),
    ("csg_full_no_t", _flags(0, 3, 0)),
    ("nsg_reserved", _flags(1, 1, 2)),
    ("nsg_back", _flags(1, 1, 0)),
    ("nsg_same", _flags(1, 1, 1)),
    ("nsg_same_security", _flags(1, 0, 0)),
    ("t_and_c", _flags(1, 1, 3) | pdu.CONTINUE),
])
def illegal_flags(b, flags):
    """11.12.1 to 11.12.3; a field with an illegal value is a format error (7.7)."""
    login_refused(b, lambda l: l.ask(OPERATIONAL, None, keys(b), flags=flags))


@suite.cases([
    ("after_operational_began", OPERATIONAL, None),
    ("after_security_left", SECURITY, OPERATIONAL),
])
def stage_goes_back(b, csg, nsg):
    """6.3: the stages only go forward."""
    def dialog(login):
        extra = {"AuthMethod": "None"} if csg == SECURITY else {}
        login.ask(csg, nsg, {**keys(b), **extra})
        login.ask(SECURITY, OPERATIONAL, {"AuthMethod": "None"} if csg else {})
    login_refused(b, dialog)


@suite.cases([
    ("isid", {"isid": b"\x80\x55\x55\x55\x55\x55"}),
    ("tsih", {"tsih": 0x1234}),
    ("cid", {"cid": 77}),
    ("version", {"version_max": 1, "version_min": 1}),
])
def field_changes_midway(b, change):
    """11.12: these describe the session being made; 7.7: inconsistent fields are an error."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.ask(OPERATIONAL, None, keys(b))
        fields = {"isid": login.isid, "exp_statsn": login.exp_statsn, **change}
        conn.send(login_request(OPERATIONAL, FULL, **fields))
        for p in conn.drain():
            check(p.opcode == pdu.LOGIN_RSP and p.status_class == 2, f"answered by {p}")


FIRST_PDUS = [(f"0x{op:02x}", op) for op in range(0x40) if op != pdu.LOGIN_REQ]


@suite.cases(FIRST_PDUS)
def not_a_login_first(b, opcode):
    """6.3: any other PDU before the login phase ends the connection at once."""
    with Conn(b.addr) as conn:
        conn.send(Pdu(opcode, immediate=True, flags=0x80, itt=1))
        equal(conn.drain(), [], "what came before the end")


@suite.cases([(pdu.NAMES[op].replace(" ", "_"), op) for op in
              (pdu.NOP_OUT, pdu.SCSI_CMD, pdu.TMF_REQ, pdu.TEXT_REQ, pdu.DATA_OUT,
               pdu.LOGOUT_REQ, pdu.SNACK_REQ, pdu.REJECT)] + [("undefined", 0x1F)])
def not_a_login_midway(b, opcode):
    """6.3: "invalid during login" (0x020b), then the end."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.ask(OPERATIONAL, None, keys(b))
        conn.send(Pdu(opcode, immediate=True, flags=0x80, itt=1))
        got = conn.drain()
        check(len(got) == 1 and got[0].opcode == pdu.LOGIN_RSP, f"wanted a Login Response: {got}")
        equal(got[0].status_class << 8 | got[0].status_detail, 0x020B, "the status")


@suite.case
def login_in_full_feature_phase(b):
    """A login on a connection that has one: never a second success (8.1.2, 7.13)."""
    with Session(b.addr, b.iqn) as s:
        s.conn.send(login_request(OPERATIONAL, FULL, keys(b), isid=s.isid, tsih=s.tsih, itt=99))
        try:
            p = s.conn.recv()
            check(p.opcode == pdu.REJECT or p.opcode == pdu.LOGIN_RSP and p.status_class,
                  f"answered by {p}")
        except Closed:
            pass


# -- bounds -------------------------------------------------------------------

@suite.case
def segment_of_8192(b):
    """13.12: login runs with the default MaxRecvDataSegmentLength, 8192 bytes."""
    data = pdu.text(keys(b)) + b"X-org.example.fill="
    data += b"v" * (255 - 1)            # 6.1: a value is at most 255 bytes long
    data += b"\0"
    n = 0
    while len(data) + 280 < 8192:
        data += f"X-org.example.fill{n}={'v' * 250}\0".encode()
        n += 1
    data += b"X-org.example.last=" + b"v" * (8192 - len(data) - 20) + b"\0"
    equal(len(data), 8192, "the segment")
    with Conn(b.addr) as conn:
        login = Login(conn)
        rsp, got = login.ask(OPERATIONAL, None, data)
        for key in got:
            if key.startswith("X-"):
                equal(got[key], "NotUnderstood", key)
        check("X-org.example.last" in got, f"keys without an answer: {len(got)} of {n + 2}")
        login.operational({})


@suite.cases([("8196", 8196), ("65536", 65536), ("16777215", 0xFFFFFF)])
def segment_above_8192(b, size):
    """13.12 forbids it; a refusal, or the end, and no memory spent."""
    before = b.d.rss_kb()
    fill = pdu.text(keys(b)) + b"X-org.example.fill=" + b"v" * size
    request = login_request(OPERATIONAL, FULL, fill[:min(size, 65536)])
    request.data_bytes = size
    with Conn(b.addr) as conn:
        try:
            conn.send(request)
        except Closed:
            pass
        if size <= 65536:
            for p in conn.drain():
                check(p.opcode == pdu.LOGIN_RSP and p.status_class == 2, f"answered by {p}")
    check(b.d.rss_kb() < before + 8192, f"memory grew from {before} to {b.d.rss_kb()} KiB")


def _continue_until_refused(b, piece, limit):
    """Sends @piece again and again with C; returns the bytes taken before the refusal."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.ask(OPERATIONAL, None, keys(b))
        taken = 0
        while taken < limit:
            try:
                login.request(OPERATIONAL, None, piece, cont=True)
                rsp = login.reply()
            except Closed:
                return taken
            if rsp.status_class:
                equal(rsp.status_class, 2, "the status class")
                check(not conn.drain(), "something follows the refusal")
                return taken
            taken += len(piece)
    return taken


@suite.cases([("one_value", b"v" * 8192), ("many_keys", b"X-a=1\0" * 1365)])
def text_without_end(b, piece):
    """A login may not fill our memory: some bound must refuse it."""
    check(_continue_until_refused(b, piece, 4 << 20) < 4 << 20, "4 MiB of login text were taken")


@suite.case
def empty_continuations_end(b):
    """Requests with C and no text make no progress; they must not be able to go on for ever."""
    check(_count_rounds(b, b"", cont=True) < 100000, "100,000 empty continuations were answered")


@suite.case
def endless_rounds_end(b):
    check(_count_rounds(b, b"", cont=False) < 100000, "100,000 rounds were answered")


def _count_rounds(b, data, cont, limit=100000):
    """Rounds until refused or closed; in batches, answers read behind them."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        login.ask(OPERATIONAL, None, keys(b))
        deadline = time.monotonic() + LOGIN_TIMEOUT_S + 10
        one = login_request(OPERATIONAL, None, data, isid=login.isid, cont=cont).encode()
        done = 0
        while done < limit and time.monotonic() < deadline:
            try:
                conn.send_raw(one * 50)
                for _ in range(50):
                    if conn.recv().status_class:
                        return done
                    done += 1
            except Closed:
                return done
    return limit


@suite.case
def unfinished_login_is_closed(b):
    """Three ways of not finishing: nothing sent, half a header, and an opened dialog."""
    conns = [Conn(b.addr, LOGIN_TIMEOUT_S + 15) for _ in range(3)]
    try:
        conns[1].send_raw(login_request(OPERATIONAL, FULL, keys(b)).encode()[:20])
        Login(conns[2]).ask(OPERATIONAL, None, keys(b))
        for name, conn in zip(("nothing sent", "half a header", "one answer"), conns):
            for p in conn.drain():
                check(p.opcode == pdu.LOGIN_RSP and p.status_class, f"{name}: answered by {p}")
    finally:
        for conn in conns:
            conn.close()


@suite.case
def slow_login_is_not_idle(b):
    """A byte at a time, a login still succeeds when it is quick enough."""
    with Conn(b.addr) as conn:
        for byte in login_request(OPERATIONAL, FULL, keys(b)).encode():
            conn.send_raw(bytes([byte]))
        rsp = conn.recv()
        equal((rsp.opcode, rsp.status_class, rsp.final), (pdu.LOGIN_RSP, 0, True), "the answer")


# -- odd but harmless ---------------------------------------------------------

@suite.cases([
    ("not_immediate", lambda p: p.bhs.__setitem__(0, pdu.LOGIN_REQ)),
    ("reserved_bits", lambda p: p.bhs.__setitem__(22, 0xFF)),
    ("ahs", lambda p: (setattr(p, "ahs", bytes(8)), setattr(p, "ahs_words", 2))),
])
def odd_request(b, change):
    """Accepting or refusing is both legal; anything else is not."""
    p = login_request(OPERATIONAL, FULL, keys(b))
    change(p)
    with Conn(b.addr) as conn:
        conn.send(p)
        try:
            rsp = conn.recv()
            equal(rsp.opcode, pdu.LOGIN_RSP, "the answer")
            among(rsp.status_class, (0, 2), "the status class")
        except Closed:
            pass


@suite.case
def refusal_keeps_others(b):
    """A refused login on one connection leaves a session on another alone."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        for _ in range(20):
            try:
                Session(b.addr, b.iqn + "x").close()
            except LoginFailed:
                pass
            s.read(0, 8)


if __name__ == "__main__":
    sys.exit(suite.run())
