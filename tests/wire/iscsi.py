# SPDX-License-Identifier: BSD-3-Clause
"""One iSCSI connection, and the login phase on it (RFC 7143 6.3).

Conn moves PDUs and judges their form only.  Login walks the stages; it leaves
every byte of a request to the test that wants it otherwise.
"""

import itertools
import os
import select
import socket
import time

import pdu
from pdu import Pdu

# Upper bound of one answer.  It is reached only when a test fails, so it may be long.
TIMEOUT = float(os.environ.get("WIRE_TIMEOUT", "20"))

INITIATOR = "iqn.2001-04.org.example:wire"
SECURITY, OPERATIONAL, FULL = 0, 1, 3


class WireError(Exception):
    """The peer did something that the protocol does not allow."""


class Closed(WireError):
    """The peer ended the connection."""


class Timeout(WireError):
    """The peer did not do in time what it must do."""


class LoginFailed(WireError):
    def __init__(self, rsp):
        self.status = rsp.status_class << 8 | rsp.status_detail
        super().__init__(f"login refused with 0x{self.status:04x}")


class Conn:
    """A TCP connection that speaks PDUs.  Digests are switched on by whoever logs in."""

    def __init__(self, addr, timeout=None):
        self.timeout = timeout or TIMEOUT
        self.header_digest = self.data_digest = False
        self.buf = bytearray()
        self.sock = socket.create_connection(addr, timeout=self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send_raw(self, raw):
        try:
            self.sock.settimeout(self.timeout)
            self.sock.sendall(raw)
        except socket.timeout as e:
            raise Timeout("the peer takes no more bytes") from e
        except OSError as e:
            raise Closed(f"the peer closed while we sent: {e}") from e

    def send(self, p, **spoil):
        self.send_raw(p.encode(self.header_digest, self.data_digest, **spoil))

    def _fill(self, need, deadline):
        while len(self.buf) < need:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise Timeout(f"no answer, {len(self.buf)} of {need} bytes of a PDU")
            try:
                got = self.sock.recv(262144)
            except ConnectionError as e:
                raise Closed("the peer reset the connection") from e
            if not got:
                if self.buf:
                    raise WireError(f"the peer closed inside a PDU: {bytes(self.buf)[:48].hex()}")
                raise Closed("the peer closed the connection")
            self.buf += got

    def _take(self, n, deadline):
        self._fill(n, deadline)
        out = bytes(self.buf[:n])
        del self.buf[:n]
        return out

    def recv(self, timeout=None):
        """The next PDU, its digests and padding checked."""
        deadline = time.monotonic() + (timeout or self.timeout)
        self._fill(48, deadline)
        ahs_len = self.buf[4] * 4
        data_len = int.from_bytes(self.buf[5:8], "big")
        header = self._take(48 + ahs_len, deadline)
        if self.header_digest:
            self._check_digest("header", header, deadline)
        body = self._take(data_len + (-data_len % 4), deadline)
        if body and self.data_digest:
            self._check_digest("data", body, deadline)
        return Pdu.from_bytes(header[:48], header[48:], body[:data_len])

    def _check_digest(self, what, covered, deadline):
        got = int.from_bytes(self._take(4, deadline), "little")
        if got != pdu.crc32c(covered):
            raise WireError(f"{what} digest is {got:#x}, not {pdu.crc32c(covered):#x}")

    def drain(self, timeout=None):
        """All PDUs until the peer closes.  Raises Timeout when it does not."""
        deadline = time.monotonic() + (timeout or self.timeout)
        got = []
        while True:
            try:
                got.append(self.recv(max(0.01, deadline - time.monotonic())))
            except Closed:
                return got


def new_isid():
    """Type 10b (random), 11.12.5: distinct in this process and, nearly surely, beyond it."""
    return b"\x80" + os.urandom(3) + next(_qualifier).to_bytes(2, "big")


_qualifier = itertools.count(1)


def login_request(csg, nsg=None, keys=(), cont=False, isid=b"\x80\0\0\0\0\1", **fields):
    """One Login Request, 11.12; @nsg asks for the transit."""
    data = keys if isinstance(keys, (bytes, bytearray)) else pdu.text(keys)
    fields.setdefault("itt", 1)
    fields.setdefault("cmdsn", 1)
    flags = csg << 2 | (pdu.CONTINUE if cont else 0)
    if nsg is not None:
        flags |= pdu.FINAL | nsg
    fields.setdefault("flags", flags)
    return Pdu(pdu.LOGIN_REQ, immediate=True, data=data, isid=isid, **fields)


# How the two offers become one value: RFC 7143 chapter 13.  "own" is declared, not negotiated.
RULES = {
    "HeaderDigest": ("list", "None"), "DataDigest": ("list", "None"),
    "MaxConnections": (min, 1), "InitialR2T": ("or", "Yes"), "ImmediateData": ("and", "Yes"),
    "MaxRecvDataSegmentLength": ("own", 8192), "MaxBurstLength": (min, 262144),
    "FirstBurstLength": (min, 65536), "DefaultTime2Wait": (max, 2), "DefaultTime2Retain": (min, 20),
    "MaxOutstandingR2T": (min, 1), "DataPDUInOrder": ("or", "Yes"),
    "DataSequenceInOrder": ("or", "Yes"), "ErrorRecoveryLevel": (min, 0),
}
NORMAL_KEYS = {
    "HeaderDigest": "None", "DataDigest": "None", "MaxRecvDataSegmentLength": "262144",
    "InitialR2T": "Yes", "ImmediateData": "Yes", "MaxBurstLength": "262144",
    "FirstBurstLength": "65536", "MaxOutstandingR2T": "1", "MaxConnections": "1",
    "DefaultTime2Wait": "2", "DefaultTime2Retain": "0", "ErrorRecoveryLevel": "0",
}


class Login:
    """The dialog of one connection until full feature phase.

    sent and got hold every pair that crossed, in order; `neg` the outcome.
    """

    def __init__(self, conn, isid=None, tsih=0, cid=0, cmdsn=1):
        self.conn, self.isid, self.tsih, self.cid = conn, isid or new_isid(), tsih, cid
        self.cmdsn, self.itt, self.exp_statsn = cmdsn, 1, 0
        self.sent, self.got = [], []
        self.first = True

    def request(self, csg, nsg=None, keys=(), **fields):
        if not isinstance(keys, (bytes, bytearray)):
            self.sent += keys.items() if isinstance(keys, dict) else keys
        self.conn.send(login_request(csg, nsg, keys, isid=self.isid, tsih=self.tsih, cid=self.cid,
                                     cmdsn=self.cmdsn, itt=self.itt,
                                     exp_statsn=self.exp_statsn, **fields))

    def reply(self):
        """One Login Response whose form is right, whatever its status."""
        rsp = self.conn.recv()
        if rsp.opcode != pdu.LOGIN_RSP:
            raise WireError(f"in login, a {rsp}")
        if rsp.itt != self.itt:
            raise WireError(f"11.13: the ITT must be that of the request: {rsp}")
        if rsp.status_class == 0:
            if rsp.isid != int.from_bytes(self.isid, "big"):
                raise WireError(f"11.13: the ISID must be that of the request: {rsp}")
            if not self.first and rsp.statsn != self.exp_statsn:
                raise WireError(f"11.13.4: StatSN {rsp.statsn}, expected {self.exp_statsn}")
            if rsp.version_active != 0 or rsp.version_max != 0:
                raise WireError("11.13.1: version 0 is the only one")
            self.first = False
            self.exp_statsn = (rsp.statsn + 1) & 0xFFFFFFFF
        return rsp

    def ask(self, csg, nsg=None, keys=(), **fields):
        """Request and response; continued answers (C bit) are collected.  -> (rsp, dict)"""
        self.request(csg, nsg, keys, **fields)
        data = b""
        while True:
            rsp = self.reply()
            data += rsp.data
            if rsp.status_class or not rsp.flags & pdu.CONTINUE:
                break
            if rsp.flags & pdu.FINAL:
                raise WireError("11.13.7: T and C are both set")
            self.request(csg)                           # empty, asks for the rest
        pairs = pdu.parse_text(data)
        self.got += pairs
        if rsp.status_class:
            raise LoginFailed(rsp)
        if rsp.flags >> 2 & 3 != csg:
            raise WireError(f"11.13: CSG {rsp.flags >> 2 & 3} answers CSG {csg}")
        return rsp, dict(pairs)

    def run(self, keys, chap=None, op_keys=None):
        """All of it: @keys (names, and operational ones without @chap) and a security stage
        when @chap is given.  Returns the last response."""
        if chap:
            self.security(keys, chap)
            return self.operational(op_keys or {})
        return self.operational({**keys, **(op_keys or {})})

    def security(self, keys, chap):
        _, got = self.ask(SECURITY, None, {**keys, "AuthMethod": "CHAP"})
        if got.get("AuthMethod") != "CHAP":
            raise WireError(f"offered CHAP only, the target answers {got}")
        _, got = self.ask(SECURITY, None, chap.offer())
        rsp, got = self.ask(SECURITY, OPERATIONAL, chap.answer(got))
        if not rsp.final:
            raise WireError("all is said, yet the target stays in the security stage")
        chap.verify(got)

    def operational(self, keys, rounds=8):
        """Negotiate until the target agrees to leave for full feature phase."""
        for _ in range(rounds):
            rsp, got = self.ask(OPERATIONAL, FULL, keys)
            if rsp.final:
                if rsp.flags & 3 != FULL:
                    raise WireError(f"asked for full feature phase, got NSG {rsp.flags & 3}")
                self.tsih = rsp.tsih
                return rsp
            keys = self.answers(got)
        raise WireError("the target never leaves the operational stage")

    def answers(self, offered):
        """Replies to keys that the target began: its own value is always acceptable to us."""
        done = {k for k, _ in self.sent}
        return {k: v for k, v in offered.items()
                if k in RULES and RULES[k][0] != "own" and k not in done}

    @property
    def neg(self):
        """The values in force.  "MaxRecvDataSegmentLength" is what *we* declared and
        "TargetMaxRecv" what the target did."""
        sent, got = dict(self.sent), dict(self.got)
        out = {}
        for key, (rule, default) in RULES.items():
            value = got.get(key, default)
            if rule == "own":
                value = sent.get(key, default)
            out[key] = value if rule in ("list", "or", "and") else int(str(value), 0)
        out["TargetMaxRecv"] = int(got.get("MaxRecvDataSegmentLength", "8192"), 0)
        return out


def login_keys(target=None, initiator=INITIATOR, **more):
    """The names of a leading login; no @target means a discovery session (13.21)."""
    keys = {"InitiatorName": initiator}
    if target:
        keys.update(SessionType="Normal", TargetName=target)
    else:
        keys.update(SessionType="Discovery")
    keys.update(more)
    return keys
