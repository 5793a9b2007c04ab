#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""seen.py ADDRESS:PORT TARGET - what an initiator sees of a target, by the PDU library
of tests/wire.  Reads a question a line and answers each with one line, in a session or
connection of its own:

  data AT LENGTH CDB...   of LUN 1's answer to that command, those bytes, in hex
  sense CDB [BYTES]       "RESPONSE-CODE KEY/ASCQ" of what it ends with, or "good";
                          BYTES zeroes are written
  key NAME=OFFER          what the target answers to that key in a login
  declares NAME           what it declares, unasked
  largest BYTES           the largest Data-In PDU of a read of that many
  window                  commands that it takes at once
  ping                    how many pings come before it gives up an initiator that
                          answers none
  moved                   status and text of a login that is redirected
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../wire"))

import pdu                                                      # noqa: E402
import scsi                                                     # noqa: E402
from iscsi import (FULL, NORMAL_KEYS, OPERATIONAL, Conn, Login,  # noqa: E402
                   LoginFailed, login_keys)
from session import Session                                     # noqa: E402

ALLOCATION = 255


class Seen:
    def __init__(self, addr, target):
        self.addr, self.target = addr, target

    def session(self, keys=None, **how):
        return Session(self.addr, self.target, keys, **how)

    def data(self, at, length, *cdb):
        with self.session() as s:
            t = s.clear_ua().scsi(bytes.fromhex("".join(cdb)), read=ALLOCATION)
            if t.status != scsi.GOOD:
                return str(t)
            return t.datain[int(at):int(at) + int(length)].hex()

    def sense(self, cdb, write="0"):
        with self.session() as s:
            for _ in range(8):
                t = s.scsi(bytes.fromhex(cdb), out=bytes(int(write)))
                if t.status == scsi.GOOD:
                    return "good"
                if t.sense.key != scsi.UNIT_ATTENTION:
                    break
            return f"{t.sense.response_code:02x} {t.sense.key:x}/{t.sense.code:04x}"

    def key(self, pair):
        with Conn(self.addr) as conn:
            name, offer = pair.split("=")
            login = Login(conn)
            login.ask(OPERATIONAL, None, {**login_keys(self.target), name: offer})
            return dict(login.got).get(name, "nothing")

    def declares(self, name):
        with self.session() as s:
            return dict(s.login.got).get(name, "nothing")

    def largest(self, length):
        with self.session() as s:
            t = s.clear_ua().scsi(scsi.read(0, int(length) // 512), read=int(length))
            return str(max(len(p.data) for p in t.data_pdus))

    def window(self):
        with self.session() as s:
            return str((s.max_cmdsn - s.cmdsn + 1) & 0xFFFFFFFF)

    def ping(self):
        with self.session(auto_pong=False) as s:
            return str(len([p for p in s.expect_closed() if p.opcode == pdu.NOP_IN]))

    def moved(self):
        with Conn(self.addr) as conn:
            login = Login(conn)
            login.request(OPERATIONAL, FULL, {**login_keys(self.target), **NORMAL_KEYS})
            rsp = login.reply()
            text = " ".join("=".join(p) for p in pdu.parse_text(rsp.data))
            return f"{rsp.status_class:02x}{rsp.status_detail:02x} {text}"


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    seen = Seen((host, int(port)), sys.argv[2])
    for line in sys.stdin:
        question, *args = line.split()
        try:
            print(getattr(seen, question)(*args), flush=True)
        except LoginFailed as e:
            print(e, flush=True)


main()
