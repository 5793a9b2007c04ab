# SPDX-License-Identifier: BSD-3-Clause
"""What hostile tests share: legal PDUs to spoil, and a witness that must not notice."""

import random
import socket
import threading
import time

import pdu
import scsi
from harness import Failed, check
from iscsi import (FULL, OPERATIONAL, Closed, Conn, Timeout, WireError, login_keys, login_request,
                   new_isid)
from pdu import Pdu
from session import WRITE_FLAG, Session

LATENCY_S = 12          # of what others ask for meanwhile; less than any time-out of the daemon


def legal_pdus(s, lun=1):
    """One of each request in full feature phase, numbered for @s to send next."""
    where = pdu.lun_field(lun)
    made = {
        "nop": Pdu(pdu.NOP_OUT, data=b"12345678", flags=pdu.FINAL, ttt=pdu.NO_TAG),
        "read": Pdu(pdu.SCSI_CMD, flags=pdu.FINAL | 0x40 | 1, edtl=4096, cdb=scsi.read(0, 8),
                    lun=where),
        "write": Pdu(pdu.SCSI_CMD, data=bytes(512), flags=pdu.FINAL | WRITE_FLAG | 1, edtl=512,
                     cdb=scsi.write(4096, 1), lun=where),
        "write_r2t": Pdu(pdu.SCSI_CMD, flags=pdu.FINAL | WRITE_FLAG | 1, edtl=4096,
                         cdb=scsi.write(4096, 8), lun=where),
        "data_out": Pdu(pdu.DATA_OUT, data=bytes(512), flags=pdu.FINAL, ttt=1, lun=where),
        "text": Pdu(pdu.TEXT_REQ, data=pdu.text({"SendTargets": "", "X-a": "b"}), flags=pdu.FINAL,
                    ttt=pdu.NO_TAG),
        "tmf": Pdu(pdu.TMF_REQ, flags=pdu.FINAL | 2, rtt=pdu.NO_TAG, lun=where, immediate=True),
        "logout": Pdu(pdu.LOGOUT_REQ, flags=pdu.FINAL, immediate=True),
        "snack": Pdu(pdu.SNACK_REQ, flags=pdu.FINAL, ttt=pdu.NO_TAG, run_length=1),
    }
    for p in made.values():
        p.itt = 0x100
        if "cmdsn" in pdu.LAYOUT[p.opcode]:
            p.cmdsn = s.cmdsn
        p.exp_statsn = s.exp_statsn
    return made


def legal_login(iqn):
    """A Login Request with an ISID of its own: spoiled, it must not take a session's place."""
    return login_request(OPERATIONAL, FULL, login_keys(iqn), isid=new_isid())


KINDS = ("nop", "read", "write", "write_r2t", "data_out", "text", "tmf", "logout", "snack")


def finish_after_eof(conn):
    """We have said all: the target, too, must come to an end.  Whatever it still says is
    read; RFC 7143 asks nothing more of a target that was sent rubbish."""
    try:
        conn.sock.shutdown(socket.SHUT_WR)
        conn.drain()
    except (Closed, OSError):
        pass
    except Timeout as e:
        raise Failed("the target keeps a connection whose peer has ended it") from e
    except WireError:
        pass                    # the end inside a PDU: we closed, so may it
    finally:
        conn.close()


def send_and_end(b, raw, keys=None, session=True):
    """@raw, or what raw(session) gives, as the last bytes of a connection."""
    if session:
        s = Session(b.addr, b.hostile_iqn, keys)
        conn, raw = s.conn, raw(s)
    else:
        conn = Conn(b.addr)
    try:
        conn.send_raw(raw)
    except Closed:
        conn.close()
        return
    finish_after_eof(conn)


def hostile_target(b):
    """Hostile sessions have a target of their own, so that only the process is shared."""
    if not hasattr(b, "hostile_iqn"):
        b.hostile_target = b.d.target(disks=1)
        b.hostile_iqn = b.hostile_target.name
    return b.hostile_iqn


class Witness(threading.Thread):
    """A session, opened before, that writes and compares until the hostile part is over.

    As a context manager it raises when a byte was wrong, a command took too long, the
    session broke, or it never got to run.
    """

    def __init__(self, b):
        super().__init__(daemon=True)
        hostile_target(b)
        self.session = Session(b.addr, b.iqn).clear_ua()
        self.over = threading.Event()
        self.error, self.worst, self.rounds = None, 0.0, 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *exc):
        self.over.set()
        self.join(60)
        self.session.close()
        if kind is None:
            check(not self.is_alive(), "the witness hangs")
            if self.error:
                raise Failed(f"another session noticed: {type(self.error).__name__} {self.error}")
            check(self.rounds > 0, "the witness never ran")
            check(self.worst < LATENCY_S, f"another session waited {self.worst:.1f} s")

    def run(self):
        rnd = random.Random(42)
        try:
            while not self.over.is_set() or not self.rounds:
                lba, data = 8192 + rnd.randrange(4096), rnd.randbytes(4096)
                begin = time.monotonic()
                self.session.write(lba, data)
                if self.session.read(lba, 8) != data:
                    raise Failed(f"wrong bytes at {lba}")
                self.worst = max(self.worst, (time.monotonic() - begin) / 2)
                self.rounds += 1
                self.over.wait(0.01)        # leaves the interpreter to the hostile side
        except Exception as e:
            self.error = e


def sanitized(pid):
    """A sanitizer keeps freed memory, so memory cannot be judged."""
    with open(f"/proc/{pid}/maps") as f:
        maps = f.read()
    return "asan" in maps or "tsan" in maps or _has_symbol(pid)


def _has_symbol(pid):
    with open(f"/proc/{pid}/exe", "rb") as f:
        return b"__asan_init" in f.read()
