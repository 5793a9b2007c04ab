#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""session.py URL [INITIATOR] - a session that shell scripts can talk to.

Says "ready", or why not, then reads a command a line and answers each with one
line:

  tur                     TEST UNIT READY, once
  check                   write a new pattern to the last 64 blocks, read it back
  write LBA BLOCKS BYTE   that byte all over
  writefua LBA BLOCKS BYTE
  read LBA BLOCKS         "good BYTE" if all bytes are the same
  sync                    SYNCHRONIZE CACHE
  cdb HEX [READ-BYTES]    "good HEX" with the data
  alive                   "alive" or "lost", without a command
  logout

Answers: good, "sense KEY/ASC" (hex: 6/2900), "status HEX", lost.  Meanwhile the
session is served: pings are answered.  Ends with its input.
"""
import os
import select
import sys

from libiscsi import CHECK_CONDITION, CANCELLED, LOST, SYNCHRONIZE_CACHE
from libiscsi import IscsiError, Lost, Session, lib, read16, write16

COMMAND_SECONDS = 60


class Talk:
    def __init__(self, session):
        self.s, self.pattern = session, 0

    def said(self, answer, data=None):
        if answer.good:
            return "good" + (f" {data(answer)}" if data else "")
        if answer.status == CHECK_CONDITION:
            return f"sense {answer.key:x}/{answer.asc:04x}"
        if answer.status in (CANCELLED, LOST):
            return "lost"
        return f"status {answer.status:x}"

    def command(self, cdb, read=0, write=b"", data=None):
        return self.said(self.s.command(cdb, read, write, seconds=COMMAND_SECONDS), data)

    def tur(self):
        return self.command(bytes(6))

    def write(self, lba, blocks, byte, fua=False):
        n = int(blocks)
        return self.command(write16(int(lba), n, fua), write=bytes([int(byte)]) * 512 * n)

    def writefua(self, lba, blocks, byte):
        return self.write(lba, blocks, byte, True)

    def read(self, lba, blocks):
        def same(answer):
            values = set(answer.data)
            return values.pop() if len(values) == 1 else "mixed"
        return self.command(read16(int(lba), int(blocks)), 512 * int(blocks), data=same)

    def check(self):
        last = int.from_bytes(self.s.ok(self.s.command(
            bytes([0x25] + [0] * 9), 8)).data[:4], "big")
        self.pattern = self.pattern % 255 + 1
        first = last - 63
        said = self.write(first, 64, self.pattern)
        if said != "good":
            return said
        said = self.read(first, 64)
        return "good" if said == f"good {self.pattern}" else f"wrong: {said}"

    def sync(self):
        return self.command(SYNCHRONIZE_CACHE)

    def cdb(self, text, read=0):
        return self.command(bytes.fromhex(text), int(read), data=lambda a: a.data.hex())

    def alive(self):
        return "lost" if self.s.ended() else "alive"

    def logout(self):
        self.s.close()
        return "good"


def lines(session):
    """Lines of stdin; the session is served while none is there."""
    buf = b""
    while True:
        p = select.poll()
        p.register(0, select.POLLIN)
        fd = -1 if session.ended() else lib.iscsi_get_fd(session.ctx)
        if fd >= 0:
            p.register(fd, lib.iscsi_which_events(session.ctx))
        for ready, events in p.poll(1000):
            if ready == fd:
                try:
                    session.service(events)
                except Lost:
                    pass                # the next command says so
                continue
            got = os.read(0, 4096)
            if not got:
                return
            buf += got
            while b"\n" in buf:
                line, _, buf = buf.partition(b"\n")
                yield line.decode()


def main():
    try:
        session = Session(*sys.argv[1:])
        session.ready()
    except IscsiError as e:
        print(e, flush=True)
        return 1
    talk = Talk(session)
    print("ready", flush=True)
    for line in lines(session):
        name, *args = line.split()
        try:
            print(getattr(talk, name)(*args), flush=True)
        except Lost:
            print("lost", flush=True)
        except IscsiError as e:
            print(e, flush=True)
        if name == "logout":
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
