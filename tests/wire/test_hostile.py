#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Peers that mean harm: PDUs cut and spoiled at every byte, every CDB bit, garbage, floods.

Whatever comes, the process lives, memory and descriptors do not grow, and a session that
was open before reads and writes the right bytes in time (the witness).
"""

import random
import socket
import struct
import sys
import time

import pdu
import scsi
from harness import Skip, Suite, among, check, until
from hostile import (KINDS, LATENCY_S, Witness, finish_after_eof, legal_login, legal_pdus, sanitized,
                     send_and_end)
from iscsi import Closed, Conn, Timeout, login_keys
from pdu import Pdu
from session import READ_FLAG, Session

MEMORY_MB = 192             # --memory: what all the data of commands may take

suite = Suite(args=("--memory", f"{MEMORY_MB}M"))


def bounded(b, before_kb, mb):
    """Resident memory has grown by less than @mb since @before_kb."""
    now = b.d.rss_kb()
    if not sanitized(b.d.pid):
        check(now - before_kb < mb << 10, f"memory grew from {before_kb} to {now} KiB")


def reset(conn):
    """Ends a connection by RST, as a killed machine does."""
    conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


# -- cut at every byte --------------------------------------------------------

@suite.case
def cut_login(b):
    with Witness(b):
        raw = legal_login(b.hostile_iqn).encode()
        for n in range(len(raw)):
            send_and_end(b, raw[:n], session=False)


@suite.cases([(k, k) for k in KINDS])
def cut(b, kind):
    """Each prefix of a legal PDU, then the end: by FIN, and by RST."""
    with Witness(b):
        with Session(b.addr, b.hostile_iqn) as s:
            size = len(legal_pdus(s)[kind].encode())
        for n in range(size):
            send_and_end(b, lambda s, n=n: legal_pdus(s)[kind].encode()[:n])
            s = Session(b.addr, b.hostile_iqn)
            s.conn.send_raw(legal_pdus(s)[kind].encode()[:n])
            reset(s.conn)


@suite.case
def cut_with_digests(b):
    both = {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"}
    with Witness(b):
        plain, b.hostile_iqn = b.hostile_iqn, b.d.target(mb=1, **both).name
        try:
            with Session(b.addr, b.hostile_iqn, both) as s:
                size = len(legal_pdus(s)["write"].encode(True, True))
            for n in range(size):
                send_and_end(b, lambda s, n=n: legal_pdus(s)["write"].encode(True, True)[:n], both)
        finally:
            b.hostile_iqn = plain


# -- each header byte ---------------------------------------------------------

VALUES = (0x00, 0x01, 0x7F, 0x80, 0xFF)


def _spoiled(raw, at, value):
    out = bytearray(raw)
    out[at] = value if out[at] != value else value ^ 0x55
    return bytes(out)


@suite.case
def spoil_login(b):
    with Witness(b):
        for at in range(48):
            for value in VALUES:
                send_and_end(b, _spoiled(legal_login(b.hostile_iqn).encode(), at, value),
                             session=False)


@suite.cases([(k, k) for k in KINDS])
def spoil(b, kind):
    """Every byte of the header takes several values; a ping follows."""
    with Witness(b):
        for at in range(48):
            for value in VALUES:
                send_and_end(b, lambda s, at=at, value=value:
                             _spoiled(legal_pdus(s)[kind].encode(), at, value)
                             + legal_pdus(s)["nop"].encode())


@suite.cases([(k, k) for k in KINDS])
def spoil_randomly(b, kind):
    """Several bytes at once, fixed seeds."""
    with Witness(b):
        for seed in range(150):
            rnd = random.Random(f"{kind}{seed}")

            def raw(s, rnd=rnd):
                out = bytearray(legal_pdus(s)[kind].encode())
                for _ in range(rnd.randrange(1, 8)):
                    out[rnd.randrange(len(out))] = rnd.randrange(256)
                return bytes(out)
            send_and_end(b, raw)


# -- lengths that lie ---------------------------------------------------------

def _ahs(kind, size, body):
    return struct.pack(">HB", size, kind) + body


AHS = [
    ("zero_length", _ahs(1, 0, b"\0")), ("length_1", _ahs(1, 1, b"\0")),
    ("longer_than_declared", _ahs(1, 0xFFFF, b"\0" * 5)), ("type_0", _ahs(0, 5, b"\0" * 5)),
    ("type_3", _ahs(3, 5, b"\0" * 5)), ("type_255", _ahs(255, 5, b"\0" * 5)),
    ("extended_cdb", _ahs(1, 17, b"\0" * 17)), ("extended_cdb_260", _ahs(1, 245, b"\0" * 245)),
    ("bidirectional", _ahs(2, 5, b"\0\0\0\2\0")), ("bidirectional_short", _ahs(2, 1, b"\0")),
    ("two", _ahs(2, 5, b"\0" * 5) * 2), ("many", _ahs(2, 5, b"\0" * 5) * 100),
    ("full", b"\xff" * 1020), ("random", random.Random(3).randbytes(400)),
]


@suite.cases(AHS)
def additional_header(b, ahs):
    """11.2.2: AHS of any kind and length, with each request."""
    ahs += bytes(-len(ahs) % 4)

    def raw(s, kind):
        p = legal_pdus(s)[kind]
        p.ahs, p.ahs_words = ahs, len(ahs) // 4
        return p.encode() + legal_pdus(s)["nop"].encode()
    with Witness(b):
        for kind in KINDS:
            send_and_end(b, lambda s, kind=kind: raw(s, kind))


@suite.cases([(f"{words}_words", words) for words in (1, 2, 63, 64, 128, 255)])
def additional_header_missing(b, words):
    """TotalAHSLength without as many bytes."""
    def raw(s, kind):
        p = legal_pdus(s)[kind]
        p.ahs_words = words
        return p.encode()
    with Witness(b):
        for kind in KINDS:
            send_and_end(b, lambda s, kind=kind: raw(s, kind))


@suite.cases([("1_more", 1), ("4_more", 4), ("64k", 65536), ("most", None)])
def data_missing(b, more):
    """DataSegmentLength above what is sent."""
    def raw(s, kind):
        p = legal_pdus(s)[kind]
        p.data_bytes = 0xFFFFFF if more is None else len(p.data) + more
        return p.encode()
    with Witness(b):
        for kind in KINDS:
            send_and_end(b, lambda s, kind=kind: raw(s, kind))


@suite.case
def huge_segments_announced(b):
    """A hundred connections announce 16 MiB each and send little: that is not memory."""
    with Witness(b):
        before = b.d.rss_kb()
        held = []
        try:
            for _ in range(100):
                s = Session(b.addr, b.hostile_iqn)
                held.append(s)
                p = legal_pdus(s)["nop"]
                p.data_bytes = 0xFFFFFF
                try:
                    s.conn.send_raw(p.encode() + bytes(8192))
                except Closed:
                    pass
            bounded(b, before, 64)
        finally:
            for s in held:
                s.close()


# -- garbage ------------------------------------------------------------------

@suite.case
def garbage_before_login(b):
    with Witness(b):
        for seed in range(200):
            rnd = random.Random(seed)
            send_and_end(b, rnd.randbytes(rnd.choice((1, 47, 48, 49, 500, 20000))), session=False)


@suite.case
def garbage_after_login(b):
    with Witness(b):
        for seed in range(200):
            rnd = random.Random(seed)
            raw = rnd.randbytes(rnd.choice((1, 47, 48, 49, 500, 20000)))
            send_and_end(b, lambda s, raw=raw: raw)


@suite.cases([("http", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("tls", b"\x16\x03\x01\x02\x00" * 40),
              ("zeroes", bytes(100000)), ("ones", b"\xff" * 100000)])
def other_protocols(b, raw):
    with Witness(b):
        send_and_end(b, raw, session=False)
        send_and_end(b, lambda s: raw)


# -- every CDB ----------------------------------------------------------------

def _answered(s, tasks):
    """Each has a status, whatever it is: a CDB cannot cost the answer or the session."""
    for t in tasks:
        s.finish(t)
        among(t.response, (0, 1), "the iSCSI response")
    tasks.clear()


CDB_FLAGS = {"bare": {}, "reading": {"read": 4096}, "writing": {"out": bytes(512)}}


@suite.cases([(k, k) for k in CDB_FLAGS])
def every_opcode_every_bit(b, kind):
    """256 opcodes times each of the 120 bits behind them; in batches, on one session."""
    with Witness(b):
        t = b.d.target(mb=1)
        with Session(b.addr, t.name) as s:
            s.clear_ua()
            for op in range(256):
                batch = []
                for bit in range(120):
                    cdb = bytearray(16)
                    cdb[0], cdb[1 + bit // 8] = op, 1 << bit % 8
                    batch.append(s.start(bytes(cdb), **CDB_FLAGS[kind]))
                    if len(batch) == 30:
                        _answered(s, batch)


@suite.cases([(f"seed_{n}", n) for n in range(4)])
def random_cdbs(b, seed):
    """Known opcodes mostly, the rest random; all directions; LUN 0, 1 and none."""
    rnd = random.Random(seed)
    known = (0x00, 0x03, 0x08, 0x0A, 0x12, 0x15, 0x16, 0x17, 0x1A, 0x1B, 0x25, 0x28, 0x2A, 0x2F,
             0x35, 0x41, 0x42, 0x55, 0x5A, 0x5E, 0x5F, 0x7F, 0x88, 0x8A, 0x8F, 0x93, 0x9E, 0xA0,
             0xA3, 0xA8, 0xAA)
    with Witness(b):
        t = b.d.target(mb=1)
        with Session(b.addr, t.name) as s:
            batch = []
            for _ in range(6000):
                cdb = bytearray(rnd.randbytes(16))
                cdb[0] = rnd.choice(known) if rnd.random() < 0.9 else cdb[0]
                for n in range(1, 16):
                    cdb[n] &= rnd.choice((0, 0, 0, 0x01, 0xFF))
                how = rnd.choice(list(CDB_FLAGS.values()))
                batch.append(s.start(bytes(cdb), lun=rnd.choice((0, 1, 1, 1, 9)), **how))
                if len(batch) == 30:
                    _answered(s, batch)
            _answered(s, batch)


@suite.case
def every_parameter_list(b):
    """Random parameter lists for the commands that take one."""
    rnd = random.Random(77)
    with Witness(b):
        t = b.d.target(mb=1)
        with Session(b.addr, t.name) as s:
            for _ in range(1500):
                data = bytearray(rnd.randbytes(rnd.randrange(1, 200)))
                for n in range(min(len(data), 12)):
                    data[n] &= rnd.choice((0, 0, 0x1F, 0xFF))
                size = rnd.choice((len(data), len(data) + 8, max(1, len(data) - 4), 0))
                cdb = rnd.choice((scsi.unmap(size),
                                  scsi.cdb(0x15, 6, (1, 1, 0x10), (4, 1, size & 255)),
                                  scsi.cdb(0x55, 10, (1, 1, 0x10), (7, 2, size)),
                                  scsi.cdb(0x5F, 10, (1, 1, rnd.randrange(8)), (5, 4, size)),
                                  scsi.cdb(0x41, 10, (1, 1, 8), (7, 2, 1))))
                s.scsi(cdb, out=bytes(data))


# -- many, slow, and rude -----------------------------------------------------

@suite.case
def half_open_logins(b):
    """Three hundred that never finish; others log in and are served, descriptors come back."""
    with Witness(b):
        fds = b.d.nr_fds()
        conns = []
        try:
            for n in range(300):
                conn = Conn(b.addr)
                conns.append(conn)
                raw = legal_login(b.hostile_iqn)
                raw.flags = 1 << 2                          # operational stage, no transit
                conn.send_raw(raw.encode()[:(0, 20, 48, None)[n % 4]])
            begin = time.monotonic()
            with Session(b.addr, b.iqn) as s:
                s.clear_ua()
            check(time.monotonic() - begin < LATENCY_S, "a login among half-open ones is slow")
        finally:
            for conn in conns:
                conn.close()
        until("descriptors are closed", lambda: b.d.nr_fds() <= fds)


@suite.case
def connections_come_and_go(b):
    with Witness(b):
        fds = b.d.nr_fds()
        for n in range(1500):
            conn = Conn(b.addr)
            if n % 2:
                reset(conn)
            else:
                conn.close()
        until("descriptors are closed", lambda: b.d.nr_fds() <= fds)


@suite.case
def killed_in_the_middle(b):
    """Sessions with reads and writes under way, ended by RST at once."""
    with Witness(b):
        for seed in range(150):
            rnd = random.Random(seed)
            s = Session(b.addr, b.hostile_iqn, {"ImmediateData": rnd.choice(["Yes", "No"])})
            s.clear_ua()
            for _ in range(rnd.randrange(1, 20)):
                n = rnd.choice((1, 64, 512))
                if rnd.random() < 0.5:
                    s.start(scsi.read(0, n), read=n * 512)
                else:
                    s.start(scsi.write(4096, n), out=bytes(n * 512), manual=True)
            if rnd.random() < 0.5:
                s.pump()
            reset(s.conn)


@suite.case
def readers_who_do_not_read(b):
    """Forty sessions ask for 32 MiB each and take nothing: memory has the bound that was
    set, and the others have their share."""
    with Witness(b):
        before = b.d.rss_kb()
        greedy = []
        try:
            for _ in range(40):
                s = Session(b.addr, b.hostile_iqn)
                greedy.append(s)
                s.clear_ua()
                for _ in range(32):
                    s.start(scsi.read(0, 2048), read=1 << 20)
            with Session(b.addr, b.iqn) as s:
                s.clear_ua()
                for _ in range(50):
                    s.read(0, 64)
            bounded(b, before, MEMORY_MB + 64)
        finally:
            for s in greedy:
                reset(s.conn)


@suite.case
def pings_without_reading(b):
    """Echoes pile up: the target stops taking more (or ends it) before its memory does."""
    with Witness(b):
        before = b.d.rss_kb()
        with Session(b.addr, b.hostile_iqn, timeout=2) as s:
            one = Pdu(pdu.NOP_OUT, data=bytes(8192), immediate=True, flags=pdu.FINAL, itt=5,
                      ttt=pdu.NO_TAG, cmdsn=s.cmdsn, exp_statsn=s.exp_statsn).encode()
            taken = 0
            try:
                while taken < 1 << 30:
                    s.conn.send_raw(one * 64)
                    taken += len(one) * 64
            except (Timeout, Closed):
                pass
            check(taken < 1 << 30, "a GiB of pings was taken from one who does not read")
            bounded(b, before, 128)


@suite.case
def immediate_commands_without_reading(b):
    """Immediate commands know no window (RFC 7143 4.2.2.1), so their number needs a bound."""
    with Witness(b):
        before = b.d.rss_kb()
        with Session(b.addr, b.hostile_iqn, timeout=2) as s:
            s.clear_ua()
            raw = b"".join(
                Pdu(pdu.SCSI_CMD, immediate=True, flags=pdu.FINAL | READ_FLAG | 1, itt=0x1000 + n,
                    edtl=1 << 20, cdb=scsi.read(0, 2048), lun=pdu.lun_field(1), cmdsn=s.cmdsn,
                    exp_statsn=s.exp_statsn).encode() for n in range(4000))
            try:
                s.conn.send_raw(raw)
            except (Timeout, Closed):
                pass
            with Session(b.addr, b.iqn) as other:
                other.clear_ua()
                for _ in range(50):
                    other.read(0, 64)
            bounded(b, before, 128)
            reset(s.conn)


@suite.case
def writers_who_do_not_write(b):
    """R2Ts stay unanswered in full windows of many sessions."""
    with Witness(b):
        before = b.d.rss_kb()
        held = []
        try:
            for _ in range(40):
                s = Session(b.addr, b.hostile_iqn, {"ImmediateData": "No"})
                held.append(s)
                s.clear_ua()
                tasks = [s.start(scsi.write(0, 2048), out=bytes(1 << 20), manual=True)
                         for _ in range(16)]
                s.wait(lambda t=tasks[0]: t.r2ts or t.done)
            bounded(b, before, MEMORY_MB + 64)
        finally:
            for s in held:
                reset(s.conn)


# -- and nothing grows --------------------------------------------------------

def _round(b, seed):
    rnd = random.Random(seed)
    for kind in KINDS:
        raw = rnd.randbytes(64)
        send_and_end(b, lambda s, kind=kind: legal_pdus(s)[kind].encode()[:rnd.randrange(1, 60)])
        send_and_end(b, lambda s, raw=raw: raw)
    send_and_end(b, rnd.randbytes(200), session=False)
    send_and_end(b, legal_login(b.hostile_iqn).encode()[:rnd.randrange(48)], session=False)
    with Conn(b.addr) as conn:
        conn.send(Pdu(pdu.LOGIN_REQ, data=pdu.text(login_keys("iqn.2001-04.org.example:none")),
                      flags=0x87, itt=1, immediate=True))
        finish_after_eof(conn)


@suite.case
def nothing_grows(b):
    """The same abuse again and again: after the first rounds, memory stays where it is."""
    with Witness(b):
        for seed in range(30):
            _round(b, seed)
        fds, rss = b.d.nr_fds(), b.d.rss_kb()
        for seed in range(30, 150):
            _round(b, seed)
        until("descriptors are closed", lambda: b.d.nr_fds() <= fds)
        if sanitized(b.d.pid):
            raise Skip("memory cannot be judged under a sanitizer; descriptors were")
        check(b.d.rss_kb() - rss < 4096, f"memory grew from {rss} to {b.d.rss_kb()} KiB")


if __name__ == "__main__":
    sys.exit(suite.run())
