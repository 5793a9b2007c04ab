#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Residual counts, RFC 7143 11.4.5, of every command that the disk lists: Expected Data Transfer
Length smaller, equal, larger and zero, in the direction of the command and in the other."""

import struct
import sys

import pdu
import scsi
from expect import condition, good
from harness import Suite, check, equal
from session import READ_FLAG, WRITE_FLAG, Session

suite = Suite()

LBA = 4096
BLOCK = 512
ROOM = 1 << 20                  # more than any answer has
UNMAP_LIST = scsi.unmap_list([(LBA, 8)])
CAW = bytes(1024)               # compare and write: a block of zeroes by zeroes


# Commands with a length that the CDB says: key -> (CDB, Data-Out) or (CDB, None) for Data-In.  The
# others are sent with nothing but their opcode, and what they answer is measured.  (The lists of
# MODE SELECT are headers without a page: they change nothing.)
IN = {
    0x03: scsi.request_sense(), 0x12: scsi.inquiry(), 0x1A: scsi.mode_sense6(0x3F),
    0x5A: scsi.mode_sense10(0x3F), 0xA0: scsi.report_luns(), 0x25: scsi.read_capacity10(),
    (0x9E, 0x10): scsi.read_capacity16(), (0xA3, 0x0C): scsi.report_opcodes(alloc=8192),
    (0xA3, 0x0D): scsi.cdb(0xA3, 12, (1, 1, 0x0D), (6, 4, 4)),
    (0x9E, 0x12): scsi.cdb(0x9E, 16, (1, 1, 0x12), (10, 4, 24)),
    0x4D: scsi.cdb(0x4D, 10, (2, 1, 0x40), (7, 2, 255)),
    0x08: scsi.read(0, 4, 6), 0x28: scsi.read(0, 4, 10), 0xA8: scsi.read(0, 4, 12),
    0x88: scsi.read(0, 4, 16),
}
OUT = {
    0x0A: (scsi.write(LBA, 4, 6), bytes(4 * BLOCK)), 0x2A: (scsi.write(LBA, 4), bytes(4 * BLOCK)),
    0xAA: (scsi.write(LBA, 4, 12), bytes(4 * BLOCK)),
    0x8A: (scsi.write(LBA, 4, 16), bytes(4 * BLOCK)),
    0x2E: (scsi.cdb(0x2E, 10, (2, 4, LBA), (7, 2, 4)), bytes(4 * BLOCK)),
    0xAE: (scsi.cdb(0xAE, 12, (2, 4, LBA), (6, 4, 4)), bytes(4 * BLOCK)),
    0x8E: (scsi.cdb(0x8E, 16, (2, 8, LBA), (10, 4, 4)), bytes(4 * BLOCK)),
    0x8B: (scsi.cdb(0x8B, 16, (2, 8, LBA), (10, 4, 4)), bytes(4 * BLOCK)),
    0x2F: (scsi.verify(LBA, 4, 10, 1), bytes(4 * BLOCK)),
    0xAF: (scsi.verify(LBA, 4, 12, 1), bytes(4 * BLOCK)),
    0x8F: (scsi.verify(LBA, 4, 16, 1), bytes(4 * BLOCK)),
    0x41: (scsi.write_same(LBA, 8), bytes(BLOCK)),
    0x93: (scsi.write_same(LBA, 8, 16), bytes(BLOCK)),
    0x15: (scsi.cdb(0x15, 6, (1, 1, 0x10), (4, 1, 4)), bytes(4)),
    0x55: (scsi.cdb(0x55, 10, (1, 1, 0x10), (7, 2, 8)), bytes(8)),
    0x42: (scsi.unmap(len(UNMAP_LIST)), UNMAP_LIST),
    0x89: (scsi.cdb(0x89, 16, (2, 8, LBA), (13, 1, 1)), CAW),
    0x9C: (scsi.cdb(0x9C, 16, (2, 8, LBA), (12, 2, 4)), bytes(4 * BLOCK)),
}
WHOLE = {0x15, 0x55, 0x42, 0x89, 0x41, 0x93, 0x9C}    # all their data, or nothing is done
EXACT = {0x41, 0x93, 0x89}      # more would mean another number of blocks
NEEDS_START = {0x1B: scsi.start_stop()}
LEFT_OUT = {0x04, (0x48, 1), (0x48, 2), (0x48, 3), (0x48, 0x1F)}        # erase; for their own tests


def commands(s):
    raw = bytes(good(s.scsi(scsi.report_opcodes(alloc=65536), read=65536)).datain)
    for at in range(4, len(raw), 8):
        op, sa, flags, length = struct.unpack(">BxHxBH", raw[at:at + 8])
        key = (op, sa) if flags & 1 else op
        cdb = bytearray(length)
        cdb[0] = op
        if flags & 1 and op == 0x7F:
            cdb[7:10] = bytes([length - 8]) + struct.pack(">H", sa)
        elif flags & 1:
            cdb[1] = sa
        yield key, bytes(cdb)


def name(key):
    return f"{key[0]:02X}h/{key[1]:02X}h" if isinstance(key, tuple) else f"{key:02X}h"


def disk(b):
    """A target whose disk has all the commands that a disk may have; one for all cases."""
    if not hasattr(b.d, "whole"):
        b.d.whole = b.d.target(disks=0)
        b.d.whole.lun(1, b.d.disk(), "--params", "atomic_write=64k,thin_provisioning=1")
    return b.d.whole.name


def opened(b):
    s = Session(b.addr, disk(b)).clear_ua()
    s.write(LBA, bytes(64 * BLOCK))
    return s


def run(s, key, cdb, **how):
    if key == 0x7F or (isinstance(key, tuple) and key[0] == 0x7F):
        ahs = struct.pack(">HBx", len(cdb) - 15, 1) + cdb[16:]
        how["ahs"] = ahs + bytes(-len(ahs) % 4)
        cdb = cdb[:16]
    t = s.scsi(cdb, **how)
    if t.status == scsi.CHECK_CONDITION and t.sense.key == scsi.UNIT_ATTENTION:
        s.clear_ua()
        t = s.scsi(cdb, **how)
    return t


def residual(t, want, what):
    check(t.residual == want, f"{what}: the residual is {t.residual}, not {want}: {t}")


def data_in(s, key, cdb):
    """-> bytes that the command has for us."""
    what = name(key)
    t = run(s, key, cdb, read=ROOM)
    n = len(t.datain)
    residual(t, n - ROOM, f"{what} with room for all")
    if t.status != scsi.GOOD:
        equal(n, 0, f"{what}: data of a command that failed")
        return 0
    for edtl in {1, 2, n // 2, n - 1, n, n + 1, n + 512} - {0, -1} if n else {1, 512}:
        t = run(s, key, cdb, read=edtl)
        good(t)
        equal(len(t.datain), min(n, edtl), f"{what}: bytes for an EDTL of {edtl}")
        residual(t, n - edtl, f"{what}, {n} bytes for {edtl}")
    for flags in (0, READ_FLAG):
        t = run(s, key, cdb, edtl=0, flags=pdu.FINAL | 1 | flags)
        equal(len(t.data_pdus), 0, f"{what}: Data-In for an EDTL of 0")
        residual(t, n, f"{what}, {n} bytes for none")
    return n


@suite.case
def of_every_command(b):
    """What has data for the initiator, measured; each must be listed to be measured."""
    with opened(b) as s:
        listed = list(commands(s))
        check(len(listed) > 40, "few commands")
        for key, cdb in listed:
            if key in OUT or key in LEFT_OUT:
                continue
            n = data_in(s, key, IN.get(key, NEEDS_START.get(key, cdb)))
            check(n > 0 or key not in IN, f"{name(key)} has no data")
            # The other direction: nothing of it moves.
            if key in IN:
                t = run(s, key, IN[key], out=bytes(512))
                equal(len(t.data_pdus) + len(t.r2ts), 0, f"{name(key)} with W: data PDUs")
                residual(t, n, f"{name(key)} with W")
                t = run(s, key, IN[key], out=bytes(512), flags=pdu.FINAL | 0x60 | 1)
                condition(t, scsi.ILLEGAL_REQUEST, 0x0E03)
                residual(t, -512, f"{name(key)} with R and W")
            s.clear_ua()


def exact(s, key, cdb, data):
    t = run(s, key, cdb, out=data)
    good(t)
    residual(t, 0, f"{name(key)}, all its data")


@suite.case
def of_every_command_with_data_out(b):
    with opened(b) as s:
        have = dict(commands(s))
        done = 0
        for key, (cdb, data) in OUT.items():
            check(key in have, f"{name(key)} is not listed")
            what, n = name(key), len(data)
            exact(s, key, cdb, data)
            for more in (1, 512, 4096):
                t = run(s, key, cdb, out=data + bytes(more))
                check((t.status == scsi.GOOD) == (key not in EXACT),
                      f"{what}, {more} bytes too many: {t}")
                residual(t, -more - (n if key in EXACT else 0), f"{what}, {more} too many")
            for less in sorted({1, n - 1, n // 2} - {0, n}):
                t = run(s, key, cdb, out=data[:less])
                residual(t, n - less, f"{what}, {less} bytes of {n}")
                whole = less % BLOCK == 0 and key not in WHOLE
                check((t.status == scsi.GOOD) == whole,
                      f"{what}, {less} bytes of {n}: {t}")
            for flags in (0, WRITE_FLAG):
                t = run(s, key, cdb, edtl=0, flags=pdu.FINAL | 1 | flags)
                residual(t, n, f"{what} without data")
                equal(len(t.r2ts), 0, f"{what} without data: R2Ts")
                check(t.status != scsi.GOOD or key not in WHOLE, f"{what} without data: {t}")
            t = run(s, key, cdb, read=512)
            condition(t, scsi.ILLEGAL_REQUEST, None if key in EXACT else 0x0E03)
            equal(len(t.r2ts) + len(t.data_pdus), 0, f"{what} with R: data PDUs")
            residual(t, -512, f"{what} with R")
            exact(s, key, cdb, data)
            done += 1
        check(done > 10, f"only {done} commands")


@suite.case
def of_a_command_that_fails(b):
    """Nothing moved: all of EDTL is underflow."""
    with opened(b) as s:
        for cdb, how in ((scsi.read(1 << 30, 8), {"read": 4096}),
                         (scsi.write(1 << 30, 8), {"out": bytes(4096)}),
                         (b"\xfe" + bytes(15), {"read": 4096}),
                         (b"\xfe" + bytes(15), {"out": bytes(4096)}),
                         (scsi.inquiry(1, 0xFD), {"read": 4096})):
            t = s.scsi(cdb, **how)
            equal(t.status, scsi.CHECK_CONDITION, "the status")
            residual(t, -4096, cdb.hex())
        t = s.scsi(scsi.read(0, 8), read=4096, lun=9)
        residual(t, -4096, "no such LUN")


if __name__ == "__main__":
    sys.exit(suite.run())
