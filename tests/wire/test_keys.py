#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Text keys, RFC 7143 6.1, 6.2 and chapter 13: ranges, defaults, rules, and text of any shape."""

import random
import sys

import pdu
from expect import CLOSED, INITIATOR_ERRORS, login_outcome, login_refused
from harness import Skip, Suite, among, check, equal
from iscsi import (FULL, NORMAL_KEYS, OPERATIONAL, SECURITY, Closed, Conn, Login, LoginFailed,
                   login_keys)
from pdu import Pdu
from session import Rejected, Session

suite = Suite()

REFUSED = (*INITIATOR_ERRORS, CLOSED)


def offer(b, pairs, target=None, csg=OPERATIONAL):
    """One operational request with @pairs besides the names -> the target's answers."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        data = pdu.text(login_keys(target or b.iqn)) + pdu.text(pairs)
        _, got = login.ask(csg, None, data)
        # 6.3: an initiator that is told a key twice MUST drop the connection.
        names = [k for k, _ in login.got]
        equal(sorted(set(names)), sorted(names), f"the keys of {login.got}")
        return got


def configured(b, **params):
    """A target whose side of the negotiation is set by tgtadm."""
    return b.d.target(disks=1, mb=1, **params).name


# -- numbers: the rule and the target's own value -----------------------------

NUMBERS = [
    # key, least, most, rule, the target's value, legal offers
    ("MaxBurstLength", 512, 16777215, min, 131072, (512, 65536, 131072, 262144, 16777215)),
    ("FirstBurstLength", 512, 16777215, min, 65536, (512, 4096, 65536, 262144, 16777215)),
    ("MaxOutstandingR2T", 1, 65535, min, 4, (1, 3, 4, 8, 65535)),
    ("MaxConnections", 1, 65535, min, 1, (1, 2, 65535)),
    ("DefaultTime2Wait", 0, 3600, max, 2, (0, 2, 30, 3600)),
    ("DefaultTime2Retain", 0, 3600, min, 20, (0, 19, 20, 21, 3600)),
    ("ErrorRecoveryLevel", 0, 2, min, 0, (0, 1, 2)),
]


@suite.cases([(row[0], *row) for row in NUMBERS])
def number(b, key, least, most, rule, own, offers):
    """13.2, 13.13 to 13.17, 13.20: the result is the minimum or maximum of both sides."""
    fixed = {"MaxConnections", "ErrorRecoveryLevel"}       # one value is implemented
    target = b.iqn if key in fixed else configured(b, **{key: own})
    for value in offers:
        pairs = {key: str(value)}
        if key == "FirstBurstLength":
            pairs = {"MaxBurstLength": "16777215", **pairs}     # 13.14: never above it
            configured_burst = 262144
            want = min(value, own, configured_burst)
        else:
            want = rule(value, own)
        got = offer(b, pairs, target)
        equal(got.get(key), str(want), f"the answer to {key}={value}, ours being {own}")


@suite.cases([(f"{row[0]}_{name}", row[0], row[1], row[2], text)
              for row in NUMBERS
              for name, text in (("below", str(row[1] - 1)), ("above", str(row[2] + 1)),
                                 ("negative", "-1"), ("letters", "abc"), ("empty", ""),
                                 ("trailing", f"{row[1]}x"), ("space", f" {row[1]}"),
                                 ("huge", "9" * 200), ("hex_huge", "0x" + "f" * 100),
                                 ("list", f"{row[1]},{row[1]}"), ("fraction", f"{row[1]}.5"),
                                 ("range", f"{row[1]}~{row[2]}"), ("bare_0x", "0x"))])
def bad_number(b, key, least, most, value):
    """6.2.2: a value that is not admissible is answered by Reject, or by an admissible one;
    7.12: or the login fails."""
    try:
        got = offer(b, {key: value}).get(key)
    except LoginFailed as e:
        among(e.status, INITIATOR_ERRORS, "the status")
        return
    except Closed:
        return
    if got == "Reject":
        return
    check(got is not None, f"{key}={value} is not answered at all")
    check(got.isdigit() and least <= int(got) <= most, f"{key}={value} is answered by {got!r}")
    # Text that is no number at all names no value to choose from.
    check(value.lstrip("-").isdigit() or value.startswith("0x") and len(value) > 2,
          f"{key}={value!r} was taken for a number: {got}")


@suite.cases([("hex", "0x10000"), ("hex_capital", "0X10000"), ("hex_letters", "0xfFfF"),
              ("decimal", "65536"), ("leading_zero_hex", "0x00010000")])
def number_notation(b, value):
    """6.1: a numerical value is decimal, or hexadecimal with 0x or 0X."""
    got = offer(b, {"MaxBurstLength": value})
    want = int(value, 16 if "x" in value.lower() else 10)
    equal(int(got["MaxBurstLength"], 0), want, "MaxBurstLength")


@suite.case
def base64_is_no_number(b):
    """6.1: 0b begins a binary value; MaxBurstLength is a numerical one."""
    try:
        got = offer(b, {"MaxBurstLength": "0bAQAA"}).get("MaxBurstLength")
    except (LoginFailed, Closed):
        return
    equal(got, "Reject", "the answer")


# -- booleans -----------------------------------------------------------------

BOOLEANS = [
    ("InitialR2T", "or", ("Yes", "No")), ("ImmediateData", "and", ("Yes", "No")),
    ("DataPDUInOrder", "or", ("Yes",)), ("DataSequenceInOrder", "or", ("Yes",)),
]


@suite.cases([(f"{k}_{own}", k, rule, own) for k, rule, owns in BOOLEANS for own in owns])
def boolean(b, key, rule, own):
    """13.10, 13.11, 13.18, 13.19: OR or AND of both sides."""
    target = configured(b, **{key: own})
    for value in ("Yes", "No"):
        yes = [x == "Yes" for x in (value, own)]
        want = any(yes) if rule == "or" else all(yes)
        got = offer(b, {key: value}, target).get(key)
        equal(got, "Yes" if want else "No", f"the answer to {key}={value}, ours being {own}")


@suite.cases([(f"{k}_{n}", k, v) for k, _, _ in BOOLEANS
              for n, v in (("lower", "yes"), ("number", "1"), ("empty", ""), ("both", "Yes,No"),
                           ("word", "Maybe"), ("space", "Yes "))])
def bad_boolean(b, key, value):
    """6.1: Yes and No are the only values, and case counts."""
    try:
        got = offer(b, {key: value}).get(key)
    except (LoginFailed, Closed):
        return
    equal(got, "Reject", f"the answer to {key}={value!r}")


# -- lists --------------------------------------------------------------------

@suite.cases([
    ("both_want_crc", "CRC32C", "CRC32C", "CRC32C"),
    ("first_common", "CRC32C,None", "CRC32C", "CRC32C"),
    ("none_only", "None", "None", "None"),
    ("unknown_first", "X-a,CRC32C", "CRC32C", "CRC32C"),
])
def digest_list(b, theirs, own, want):
    """6.2.1: the first of the originator's list that the acceptor supports and may use."""
    target = configured(b, HeaderDigest=own, DataDigest=own)
    got = offer(b, {"HeaderDigest": theirs, "DataDigest": theirs}, target)
    equal((got.get("HeaderDigest"), got.get("DataDigest")), (want, want), "the digests")


@suite.cases([(f"{k}_{n}", k, v) for k in ("HeaderDigest", "DataDigest")
              for n, v in (("unknown", "MD5"), ("lower", "crc32c"), ("empty", ""),
                           ("comma", ","), ("reserved", "NotUnderstood"))])
def no_common_digest(b, key, value):
    """6.2.1: nothing in common is answered by Reject, or ends the negotiation."""
    try:
        got = offer(b, {key: value}).get(key)
    except (LoginFailed, Closed):
        return
    equal(got, "Reject", f"the answer to {key}={value!r}")


@suite.case
def no_common_authmethod(b):
    """6.3.2: no method in common is an authentication failure."""
    login_refused(b, lambda l: l.ask(SECURITY, OPERATIONAL, login_keys(b.iqn, AuthMethod="KRB5")),
                  (0x0201, 0x0200))


# -- declarations -------------------------------------------------------------

@suite.cases([("least", "512"), ("most", "16777215"), ("hex", "0x1000")])
def max_recv_is_declared(b, value):
    """13.12: declared by each side; it is no negotiation, so no answer echoes ours."""
    with Session(b.addr, b.iqn, {"MaxRecvDataSegmentLength": value}) as s:
        s.clear_ua()
        s.neg["MaxRecvDataSegmentLength"] = int(value, 0)
        check(len(s.read(0, 64)) == 32768, "short read")         # the session checks the sizes


@suite.cases([("below", "511"), ("above", "16777216"), ("zero", "0"), ("letters", "many")])
def bad_max_recv(b, value):
    """A declaration out of range: refused, or answered by Reject; never obeyed."""
    try:
        got = offer(b, {"MaxRecvDataSegmentLength": value}).get("MaxRecvDataSegmentLength")
    except (LoginFailed, Closed):
        return
    equal(got, "Reject", "the answer")


@suite.case
def initiator_alias(b):
    """13.7: a declaration has no answer."""
    got = offer(b, {"InitiatorAlias": "my alias, in words"})
    check("InitiatorAlias" not in got, f"a declaration is answered: {got}")


# -- keys unknown, obsolete, repeated, misplaced ------------------------------

@suite.case
def unknown_keys(b):
    """6.2: "the answer for a key not understood MUST be key=NotUnderstood"."""
    unknown = ["X-org.example.key", "Nonsense", "maxburstlength", "Z" * 63, "X#x", "a"]
    got = offer(b, {k: "value" for k in unknown})
    for key in unknown:
        equal(got.get(key), "NotUnderstood", key)


@suite.cases([
    ("IFMarker_No", "IFMarker", "No", ("No", "NotUnderstood", "Reject")),
    ("OFMarker_No", "OFMarker", "No", ("No", "NotUnderstood", "Reject")),
    ("IFMarker_Yes", "IFMarker", "Yes", ("No", "NotUnderstood", "Reject")),
    ("OFMarker_Yes", "OFMarker", "Yes", ("No", "NotUnderstood", "Reject")),
    ("OFMarkInt", "OFMarkInt", "2048", ("Reject", "NotUnderstood", "Irrelevant")),
    ("IFMarkInt", "IFMarkInt", "2048~4096", ("Reject", "NotUnderstood", "Irrelevant")),
])
def obsolete(b, key, value, legal):
    """13.25: markers are obsolete and must not be switched on."""
    among(offer(b, {key: value}).get(key), legal, key)


@suite.cases([
    ("TaskReporting", "TaskReporting", "RFC3720", ("RFC3720", "NotUnderstood")),
    ("TaskReporting_list", "TaskReporting", "FastAbort,ResponseFence,RFC3720",
     ("RFC3720", "ResponseFence", "FastAbort", "NotUnderstood")),
    ("iSCSIProtocolLevel", "iSCSIProtocolLevel", "1", ("0", "1", "NotUnderstood")),
    ("iSCSIProtocolLevel_2", "iSCSIProtocolLevel", "2", ("0", "1", "2", "NotUnderstood")),
    ("RDMAExtensions", "RDMAExtensions", "No", ("No", "NotUnderstood", "Reject")),
])
def newer(b, key, value, legal):
    """13.23, 13.24: may be unknown, must have an answer that was offered or is lower."""
    among(offer(b, {key: value}).get(key), legal, key)


@suite.cases([
    ("in_one_request", 0), ("in_the_next_request", 1),
])
def repeated(b, later):
    """6.3: "the target MUST respond with a Login reject (initiator error)"."""
    for key in ("MaxBurstLength", "InitialR2T", "MaxRecvDataSegmentLength", "InitiatorName",
                "TargetName", "HeaderDigest", "InitiatorAlias"):
        pairs = list({**login_keys(b.iqn, InitiatorAlias="a"), **NORMAL_KEYS}.items())
        again = (key, dict(pairs)[key])

        def dialog(login):
            if not later:
                return login.ask(OPERATIONAL, FULL, pairs + [again])
            login.ask(OPERATIONAL, None, pairs)
            return login.ask(OPERATIONAL, FULL, [again])
        login_refused(b, dialog)


@suite.cases([
    ("IrrelevantOffered", {"MaxBurstLength": "Irrelevant"}),
    ("RejectOffered", {"MaxBurstLength": "Reject"}),
    ("NotUnderstoodOffered", {"InitialR2T": "NotUnderstood"}),
    ("TargetOnly_TargetAddress", {"TargetAddress": "192.0.2.1:3260,1"}),
    ("TargetOnly_TPGT", {"TargetPortalGroupTag": "77"}),
    ("TargetOnly_TargetAlias", {"TargetAlias": "x"}),
    ("FullPhaseOnly_SendTargets", {"SendTargets": "All"}),
])
def misplaced(b, pairs):
    """Words that only an answer may hold, and keys that are not an initiator's at login
    (chapter 13, "Who can send", "Use"): refused, or answered by a reserved word."""
    try:
        got = offer(b, pairs)
    except (LoginFailed, Closed):
        return
    for key, value in pairs.items():
        if key == "TargetPortalGroupTag":       # its own declaration stands in the same answer
            check(got.get(key) != value, "the target took its portal group from us")
            continue
        among(got.get(key), ("Reject", "Irrelevant", "NotUnderstood"), f"the answer to {pairs}")


@suite.case
def discovery_irrelevant(b):
    """Chapter 13, "irrelevant when SessionType=Discovery": Irrelevant, or a value of the rule."""
    with Conn(b.addr) as conn:
        login = Login(conn)
        _, got = login.ask(OPERATIONAL, None, {**login_keys(), "MaxBurstLength": "65536",
                                               "InitialR2T": "Yes", "MaxConnections": "1"})
        among(got.get("MaxBurstLength"), ("Irrelevant", "65536"), "MaxBurstLength")
        among(got.get("InitialR2T"), ("Irrelevant", "Yes"), "InitialR2T")
        among(got.get("MaxConnections"), ("Irrelevant", "1"), "MaxConnections")
        login.operational({})


@suite.case
def all_offered_are_answered(b):
    got = offer(b, NORMAL_KEYS)
    missing = set(NORMAL_KEYS) - set(got) - {"MaxRecvDataSegmentLength"}
    check(not missing, f"6.2: no answer to {sorted(missing)}")
    for key, value in got.items():
        check(value not in ("Reject", "NotUnderstood", "Irrelevant"), f"{key}={value}")


# -- text of any shape --------------------------------------------------------

SHAPES = [
    ("no_equals", b"MaxBurstLength\0"), ("no_nul", b"X-a=1"), ("only_equals", b"=\0"),
    ("no_key", b"=value\0"), ("two_equals", b"X-a=b=c\0"), ("only_nul", b"\0"),
    ("eight_bit_key", b"X-\xff\xfe=1\0"), ("eight_bit_value", b"X-a=\xff\xfe\x80\0"),
    ("eight_bit_number", b"MaxBurstLength=\xb2\xb3\0"), ("control", b"X-\x01\x02=\x1b[2J\0"),
    ("newline", b"X-a\n=1\r\n\0"), ("long_key", b"K" * 64 + b"=1\0"),
    ("very_long_key", b"K" * 4000 + b"=1\0"), ("long_value", b"X-a=" + b"v" * 4000 + b"\0"),
    ("format", b"%s%n%x=%s%n%x\0"), ("nul_inside", b"X-a\0b=1\0"), ("tab", b"X-a =\t1\0"),
    ("long_number", b"MaxBurstLength=" + b"1" * 4000 + b"\0"),
    ("many_commas", b"HeaderDigest=" + b"," * 4000 + b"\0"),
    ("many_items", b"HeaderDigest=" + b"CRC32C," * 500 + b"None\0"),
    ("long_name", b"TargetName=" + b"x" * 4000 + b"\0"),
    ("garbage", random.Random(1).randbytes(4000)),
    ("nuls", bytes(4000)), ("equals", b"=" * 4000), ("ff", b"\xff" * 4000),
]


@suite.cases(SHAPES)
def shape_at_login(b, raw):
    """In a login: an answer in due form, a refusal, or the end of the connection."""
    def dialog(login):
        login.ask(OPERATIONAL, None, pdu.text(login_keys(b.iqn)) + raw)
    among(login_outcome(b, dialog), (0, *REFUSED), "the outcome")


@suite.cases(SHAPES)
def shape_as_first_text(b, raw):
    among(login_outcome(b, lambda l: l.ask(SECURITY, None, raw)), (0, *REFUSED), "the outcome")


@suite.cases(SHAPES)
def shape_in_text_request(b, raw):
    """In full feature phase: Text Response, Reject, or the end; then a new session is served."""
    with Session(b.addr, b.iqn) as s:
        try:
            s.text(raw)
        except (Rejected, Closed):
            pass


@suite.cases([("answered", b"X-org.example.a=1\0", {"X-org.example.a": "NotUnderstood"})])
def text_request_unknown_key(b, raw, want):
    """6.2 holds in full feature phase, too."""
    with Session(b.addr, b.iqn) as s:
        equal(dict(s.text(raw)), want, "the answer")


@suite.case
def text_request_redeclares_max_recv(b):
    """13.12 "Use: All": a smaller MaxRecvDataSegmentLength counts from then on."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        s.text({"MaxRecvDataSegmentLength": "1024"})
        s.neg["MaxRecvDataSegmentLength"] = 1024
        s.read(0, 64)


@suite.cases([(k, k, v) for k, v in (
    ("InitialR2T", "No"), ("HeaderDigest", "CRC32C"), ("MaxBurstLength", "512"),
    ("FirstBurstLength", "512"), ("MaxConnections", "1"), ("ErrorRecoveryLevel", "1"),
    ("InitiatorName", "iqn.2001-04.org.example:other"), ("AuthMethod", "None"))])
def login_key_in_text_request(b, key, value):
    """Chapter 13, "Use: LO, IO": not in full feature phase; and the values in force stay
    as they are (7.12)."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        try:
            got = dict(s.text({key: value})).get(key)
            among(got, ("Reject", "NotUnderstood", "Irrelevant"), f"the answer to {key}={value}")
        except Rejected as e:
            among(e.reason, (0x04, 0x09, 0x0B), "the reason")
        except Closed:
            return                                          # 7.13 allows to treat it as an error
        s.read(0, 64)
        s.write(2048, bytes(65536))


@suite.case
def empty_text_request(b):
    with Session(b.addr, b.iqn) as s:
        equal(s.text(b""), [], "the answer to no keys")


@suite.case
def text_request_in_pieces(b):
    """11.10.2: C joins requests of one ITT; each part is answered by an empty response
    with a Target Transfer Tag."""
    with Session(b.addr, b.iqn) as s:
        data = b"X-org.example.long=" + b"v" * 200 + b"\0"
        first = Pdu(pdu.TEXT_REQ, data=data[:100], flags=pdu.CONTINUE, ttt=pdu.NO_TAG)
        rsp = s.request(first)
        check(not rsp.data and not rsp.flags & 0xC0, f"wanted an empty answer, got {rsp}")
        check(rsp.ttt != pdu.NO_TAG, "11.11.4: no tag to go on with")
        rsp = s.request(Pdu(pdu.TEXT_REQ, data=data[100:], flags=pdu.FINAL, ttt=rsp.ttt,
                            itt=first.itt, lun=rsp.lun))
        equal(dict(pdu.parse_text(rsp.data)), {"X-org.example.long": "NotUnderstood"}, "the answer")
        check(rsp.final and rsp.ttt == pdu.NO_TAG, f"the negotiation does not end: {rsp}")


@suite.case
def text_request_without_end(b):
    """C for ever: some bound must answer by Reject or the end."""
    with Session(b.addr, b.iqn) as s:
        p = Pdu(pdu.TEXT_REQ, data=b"v" * 8192, flags=pdu.CONTINUE, ttt=pdu.NO_TAG)
        try:
            for _ in range(512):
                rsp = s.request(p)
                p = Pdu(pdu.TEXT_REQ, data=p.data, flags=pdu.CONTINUE, ttt=rsp.ttt, itt=p.itt,
                        lun=rsp.lun)
        except (Rejected, Closed):
            return
    check(False, "4 MiB of text were taken")


@suite.case
def text_of_64_kib(b):
    """6.2 lets a sequence be long; whatever the bound is, the answer has due form."""
    raw = pdu.text([(f"X-org.example.{n}", "v" * 200) for n in range(280)])
    with Session(b.addr, b.iqn) as s:
        if len(raw) > s.neg["TargetMaxRecv"]:
            raise Skip(f"the target takes {s.neg['TargetMaxRecv']} bytes a PDU")
        try:
            got = s.text(raw)
            check(len(got) == 280 and all(v == "NotUnderstood" for _, v in got),
                  f"{len(got)} answers to 280 keys")
        except (Rejected, Closed):
            pass


@suite.cases([(f"seed_{n}", n) for n in range(8)])
def random_text(b, seed):
    """Known keys with values mixed from tokens, in a login."""
    rnd = random.Random(seed)
    names = list(NORMAL_KEYS) + ["AuthMethod", "SendTargets", "TargetAlias", "X-a", ""]
    tokens = ["Yes", "No", "None", "CRC32C", ",", "0x", "0b", "1", "99999999999", "~", "=",
              "\x7f", "Reject", "Irrelevant", " "]
    for _ in range(25):
        raw = b"".join(
            (rnd.choice(names) + rnd.choice(["=", "=", "=", ""])
             + "".join(rnd.choice(tokens) for _ in range(rnd.randrange(6)))).encode()
            + rnd.choice([b"\0", b"\0", b"\0", b""])
            for _ in range(rnd.randrange(1, 12)))
        among(login_outcome(b, lambda l, raw=raw: l.ask(
            OPERATIONAL, rnd.choice([None, FULL]), pdu.text(login_keys(b.iqn)) + raw)),
            (0, *REFUSED), f"the outcome of {raw!r}")


if __name__ == "__main__":
    sys.exit(suite.run())
