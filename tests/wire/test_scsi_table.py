#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Reservations of SPC-2, the table of commands (SPC-4 6.35), and changes that are announced."""

import struct
import sys

import scsi
from expect import condition, good
from harness import Suite, among, check, equal
from session import LUN_RESET, Session

suite = Suite()

LBA = 4096


def opened(b, target=None):
    return Session(b.addr, target or b.iqn).clear_ua()


def bad_field(t, field=None):
    return condition(t, scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB, field)


# -- reservations of SPC-2 ----------------------------------------------------

def conflict(t):
    equal(t.status, scsi.RESERVATION_CONFLICT, "the status")


def one_block(s):
    return s.scsi(scsi.read(0, 1), read=512)


@suite.cases([("6", scsi.reserve6, scsi.release6), ("10", scsi.reserve10, scsi.release10)])
def reserve(b, take, give):
    """SPC-2 5.5.1: the others get RESERVATION CONFLICT, but may ask who we are."""
    with opened(b) as mine, opened(b) as other:
        good(mine.scsi(take()))
        good(mine.scsi(take()))
        mine.write(LBA, bytes(512))
        for cdb, how in ((scsi.read(0, 1), {"read": 512}),
                         (scsi.write(LBA, 1), {"out": b"\x99" * 512}),
                         (scsi.mode_sense6(0x08), {"read": 255}), (take(), {}),
                         (scsi.sync_cache(), {}), (scsi.unmap(24), {"out": bytes(24)})):
            conflict(other.scsi(cdb, **how))
        good(other.scsi(scsi.inquiry(), read=255))
        good(other.scsi(scsi.report_luns(), read=255, lun=0))
        good(other.scsi(scsi.request_sense(), read=252))
        good(other.scsi(give()))                            # not its own: no error, no effect
        conflict(one_block(other))
        good(mine.scsi(give()))
        good(one_block(other))
        equal(other.read(LBA, 1), bytes(512), "the block")


@suite.case
def reserve_ends_with_the_session(b):
    """SPC-2 5.5.1: nexus loss ends it, by logout or by the loss of the connection."""
    for leave in (lambda s: s.logout(), lambda s: s.close()):
        with opened(b) as other:
            with opened(b) as mine:
                good(mine.scsi(scsi.reserve6()))
                conflict(one_block(other))
                leave(mine)
            for _ in range(1000):
                t = one_block(other)
                if t.status != scsi.RESERVATION_CONFLICT:
                    break
            other.clear_ua()


@suite.case
def reserve_ends_with_a_reset(b):
    with opened(b) as mine, opened(b) as other:
        good(mine.scsi(scsi.reserve6()))
        equal(other.tmf(LUN_RESET).response, 0, "the response")
        other.clear_ua()
        other.read(0, 1)


# -- the table of commands ----------------------------------------------------

WANTED = [0x00, 0x03, 0x08, 0x0A, 0x12, 0x16, 0x17, 0x1A, 0x1B, 0x25, 0x28, 0x2A, 0x2F, 0x35, 0x41,
          0x56, 0x57, 0x5A, 0x88, 0x8A, 0x8F, 0x91, 0x93, (0x9E, 0x10), 0xA0, (0xA3, 0x0C), 0xA8,
          0xAA, 0xAF]


def table(s, lun=1):
    """-> {opcode or (opcode, service action): CDB bytes} of REPORT SUPPORTED OPERATION CODES."""
    raw = bytes(good(s.scsi(scsi.report_opcodes(alloc=65536), read=65536, lun=lun)).datain)
    size = struct.unpack(">I", raw[:4])[0]
    equal(size, len(raw) - 4, "COMMAND DATA LENGTH")
    out, at = {}, 4
    while at < len(raw):
        op, sa, flags, length = struct.unpack(">BxHxBH", raw[at:at + 8])
        key = (op, sa) if flags & 1 else op
        check(key not in out, f"{key} is listed twice")
        out[key] = length
        at += 8 + (12 if flags & 2 else 0)
    return out


def usage(s, key, length):
    op, sa = key if isinstance(key, tuple) else (key, 0)
    raw = bytes(good(s.scsi(scsi.report_opcodes(2 if isinstance(key, tuple) else 1, op, sa),
                            read=8192)).datain)
    equal(raw[1] & 7, 3, f"SUPPORT of {key}")
    equal(struct.unpack(">H", raw[2:4])[0], length, f"CDB SIZE of {key}")
    got = raw[4:4 + length]
    equal(got[0], op, f"byte 0 of the usage map of {key}")
    return got


@suite.case
def opcodes_are_listed(b):
    """SPC-4 6.35."""
    with opened(b) as s:
        have = table(s)
        for key in WANTED:
            among(key, have, "the list")
        for key, length in have.items():
            usage(s, key, length)


@suite.case
def opcodes_with_timeouts(b):
    """RCTD adds a 12-byte descriptor to each."""
    with opened(b) as s:
        raw = bytes(good(s.scsi(scsi.report_opcodes(alloc=65536, rctd=1), read=65536)).datain)
        n, at = 0, 4
        while at < len(raw):
            check(raw[at + 5] & 2, "CTDP is clear")
            equal(struct.unpack(">H", raw[at + 8:at + 10])[0], 10, "the descriptor's length")
            n, at = n + 1, at + 20
        equal(n, len(table(s)), "commands")


@suite.case
def opcodes_one_at_a_time(b):
    """REPORTING OPTIONS 1 to 3, right and wrong."""
    with opened(b) as s:
        def support(option, op, sa=0):
            t = s.scsi(scsi.report_opcodes(option, op, sa), read=8192)
            return t.datain[1] & 7 if t.status == scsi.GOOD else bad_field(t) and None
        equal(support(1, 0x28), 3, "READ(10)")
        equal(support(1, 0xFF), 1, "an opcode that is not there")
        equal(support(2, 0x9E, 0x10), 3, "READ CAPACITY(16)")
        equal(support(2, 0x9E, 0x1F), 1, "a service action that is not there")
        equal(support(1, 0x9E), None, "an opcode that has service actions, without one")
        equal(support(2, 0x28, 0), None, "an opcode that has none, with one")
        bad_field(s.scsi(scsi.report_opcodes(4, 0x28), read=8192), (True, 2))
        bad_field(s.scsi(scsi.report_opcodes(7, 0x28), read=8192), (True, 2))


@suite.case
def unlisted_opcodes_are_refused(b):
    """What the table does not have is 05/20/00, for disk and controller."""
    with opened(b) as s:
        s.clear_ua(0)
        for lun in (0, 1):
            have = {k[0] if isinstance(k, tuple) else k for k in table(s, lun)}
            for op in range(256):
                if op not in have:
                    condition(s.scsi(bytes([op]) + bytes(15), lun=lun), scsi.ILLEGAL_REQUEST,
                              scsi.INVALID_OPCODE)


@suite.case
def unlisted_service_actions_are_refused(b):
    """SPC-4 4.3.4.2: an unknown service action is an invalid field of the CDB."""
    with opened(b) as s:
        have = table(s)
        for op in {k[0] for k in have if isinstance(k, tuple)}:
            for sa in range(32):
                if (op, sa) not in have:
                    t = s.scsi(bytes([op, sa]) + bytes(14))
                    condition(t, scsi.ILLEGAL_REQUEST)
                    among(t.sense.code, (scsi.INVALID_FIELD_IN_CDB, scsi.INVALID_OPCODE), "sense")


@suite.case
def reserved_bits_are_refused(b):
    """Each bit that the usage map does not have, of each command: 05/24/00, and the field
    pointer names byte and bit.  Nothing is done."""
    with opened(b) as s:
        before = s.read(0, 64)
        for key, length in table(s).items():
            op, sa = key if isinstance(key, tuple) else (key, 0)
            bits = usage(s, key, length)
            for byte in range(1, length):
                for bit in range(8):
                    names_another = byte == 1 and bit < 5 and isinstance(key, tuple)
                    if bits[byte] >> bit & 1 or names_another:
                        continue
                    cdb = bytearray(length)
                    cdb[0], cdb[1] = op, sa & 0x1F
                    cdb[byte] |= 1 << bit
                    t = s.scsi(bytes(cdb))
                    check(t.status == scsi.CHECK_CONDITION and
                          (t.sense.key, t.sense.code) == (5, scsi.INVALID_FIELD_IN_CDB),
                          f"opcode {op:#x}, byte {byte} bit {bit}: {t}")
                    check(t.sense.field is not None and t.sense.field[:2] == (True, byte),
                          f"opcode {op:#x}, byte {byte} bit {bit}: pointer {t.sense.field}")
        check(s.read(0, 64) == before, "a refused command changed blocks")


@suite.case
def atomic_writes(b):
    """SBC-4 5.48, 6.6.4: listed and limited as made; with nothing of it, zeroes and no command."""
    def write_atomic(lba, blocks, boundary=0):
        return scsi.cdb(0x9C, 16, (2, 8, lba), (10, 2, boundary), (12, 2, blocks))

    t = b.d.target(disks=1)
    t.lun(2, b.d.disk(), "--params", "atomic_write=64k")
    with opened(b, t.name) as s:
        s.clear_ua(2)
        for lun, most in ((1, 0), (2, 128)):
            page = bytes(good(s.scsi(scsi.inquiry(1, 0xB0), read=255, lun=lun)).datain)
            equal(struct.unpack(">5L", page[44:64]), (most, 0, 0, most, most), "the limits")
        condition(s.scsi(write_atomic(0, 1), out=bytes(512)), scsi.ILLEGAL_REQUEST,
                  scsi.INVALID_OPCODE)
        for lba, boundary in ((0, 0), (3, 1), (LBA, 128)):
            data = bytes([boundary + 1]) * 128 * 512
            good(s.scsi(write_atomic(lba, 128, boundary), out=data, lun=2))
            check(s.read(lba, 128, lun=2) == data, "other data")
        bad_field(s.scsi(write_atomic(0, 129), out=bytes(129 * 512), lun=2), (True, 12))
        bad_field(s.scsi(write_atomic(0, 1, 129), out=bytes(512), lun=2), (True, 10))
        condition(s.scsi(write_atomic(1 << 40, 129), out=bytes(512), lun=2),
                  scsi.ILLEGAL_REQUEST, scsi.LBA_OUT_OF_RANGE)
        good(s.scsi(write_atomic(0, 0), lun=2))


# -- changes that initiators are told -----------------------------------------

@suite.case
def new_lun_is_announced(b):
    """06/3F/0E, REPORTED LUNS DATA HAS CHANGED, on a LUN that was there before."""
    t = b.d.target(mb=1)
    with opened(b, t.name) as s:
        t.lun(2, b.d.disk(1))
        condition(s.scsi(scsi.tur()), scsi.UNIT_ATTENTION, 0x3F0E)
        good(s.scsi(scsi.tur()))
        s.clear_ua(2)
        s.read(0, 1, lun=2)


@suite.case
def deleted_lun_is_gone(b):
    t = b.d.target(disks=2, mb=1)
    with opened(b, t.name) as s:
        s.clear_ua(2)
        b.d.adm("--mode", "logicalunit", "--op", "delete", "--tid", str(t.tid), "--lun", "2",
                "--force")
        condition(s.scsi(scsi.tur(), lun=2), scsi.ILLEGAL_REQUEST, scsi.LUN_NOT_SUPPORTED)
        condition(s.scsi(scsi.tur()), scsi.UNIT_ATTENTION, 0x3F0E)
        s.read(0, 1)


if __name__ == "__main__":
    sys.exit(suite.run())
