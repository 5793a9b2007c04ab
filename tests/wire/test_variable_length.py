#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""CDBs of more than 16 bytes (SPC-4 4.2.3), which come in an additional header segment (RFC 7143
11.2.2.3).  A disk without protection information has none of those commands: "READ(32) shall only
be processed if type 2 protection is enabled" (SBC-3 5.13), as all of its kind; they are refused as
unknown, and nothing else is harmed."""

import struct
import sys

import scsi
from daemon import pattern
from expect import condition, good
from harness import Suite, check, equal
from session import Session

suite = Suite(args=("--reactors", "2"))

ACTIONS = [("read", 0x0009, "in"), ("verify", 0x000A, "none"), ("verify_data", 0x000A, "out"),
           ("write", 0x000B, "out"), ("write_and_verify", 0x000C, "out"),
           ("write_same", 0x000D, "out"), ("orwrite", 0x000E, "out"),
           ("write_atomic", 0x000F, "out"), ("nobodys", 0xFFFF, "none")]


def cdb32(action, lba=0, blocks=1, additional=24):
    return struct.pack(">BBxxxxBBHBxQIHHI", 0x7F, 0, 0, additional, action, 0, lba, lba & 0xFFFFFFFF,
                       0, 0, blocks)


def send(s, cdb, **how):
    rest = cdb[16:]
    ahs = struct.pack(">HBx", len(rest) + 1, 1) + rest if rest else b""
    return s.scsi(cdb[:16], ahs=ahs + bytes(-len(ahs) % 4), **how)


def unknown(t):
    condition(t, scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)


@suite.cases([(f"{name}/{'immediate' if imm else 'solicited'}", action, data, imm)
              for name, action, data in ACTIONS for imm in (True, False)])
def refused(b, action, data, immediate):
    with Session(b.addr, b.iqn, keys=None if immediate else {"ImmediateData": "No"}) as s:
        s.clear_ua()
        how = {"in": {"read": 4096}, "out": {"out": b"\xff" * 4096}, "none": {}}[data]
        for _ in range(3):
            unknown(send(s, cdb32(action, 8, 8), **how))
        equal(s.read(0, 24), pattern(0, 24), "the blocks")


@suite.cases([(str(n), n) for n in (0, 1, 4, 16, 17, 24, 100, 244)])
def of_any_length(b, additional):
    """The CDB is as long as it says, or not: it is unknown all the same."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        for length in (16, 20, 32, 8 + additional):
            cdb = cdb32(0x0009, additional=additional).ljust(length, b"\0")[:max(length, 16)]
            unknown(send(s, cdb, read=512))
        equal(s.read(0, 1), pattern(0, 1), "the first block")


@suite.case
def many_at_once(b):
    """Among commands of the usual length, each is answered."""
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        tasks = []
        for lba in range(32):
            cdb = cdb32(0x0009, lba)
            ahs = struct.pack(">HBx", 17, 1) + cdb[16:]
            tasks.append((s.start(cdb[:16], ahs=ahs, read=512), None))
            tasks.append((s.start(scsi.read(lba, 1), read=512), pattern(lba, 1)))
        for t, want in tasks:
            t = s.finish(t)
            if want is None:
                unknown(t)
            else:
                equal(bytes(good(t).datain), want, "the block")


@suite.case
def not_reported(b):
    with Session(b.addr, b.iqn) as s:
        s.clear_ua()
        raw = bytes(good(s.scsi(scsi.report_opcodes(alloc=16384), read=16384)).datain)
        check(0x7F not in raw[4::8], "7Fh is listed")
        one = bytes(good(s.scsi(scsi.report_opcodes(3, 0x7F, 0x0009), read=64)).datain)
        equal(one[1] & 7, 1, "SUPPORT of READ(32)")


if __name__ == "__main__":
    sys.exit(suite.run())
