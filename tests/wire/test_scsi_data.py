#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: BSD-3-Clause
"""Commands on blocks: edges, caches, VERIFY, UNMAP, WRITE SAME (SBC-3)."""

import os
import random
import struct
import sys

import scsi
from daemon import pattern
from expect import condition, good
from harness import Suite, check, equal
from session import READ_FLAG, WRITE_FLAG, Session

suite = Suite()

BLOCKS = 16 << 11               # of the target that the harness makes
LBA = 4096


def opened(b, target=None):
    return Session(b.addr, target or b.iqn).clear_ua()


def bad_range(t):
    return condition(t, scsi.ILLEGAL_REQUEST, scsi.LBA_OUT_OF_RANGE)


def bad_field(t, field=None):
    return condition(t, scsi.ILLEGAL_REQUEST, scsi.INVALID_FIELD_IN_CDB, field)


def limits(s):
    """Of VPD B0h and B2h: what the unit says that it does."""
    b0 = bytes(good(s.scsi(scsi.inquiry(1, 0xB0), read=255)).datain)
    b2 = bytes(good(s.scsi(scsi.inquiry(1, 0xB2), read=255)).datain)
    unmap_lbas, unmap_descs = struct.unpack(">II", b0[20:28])
    return {"unmap": bool(b2[5] & 0x80), "wsnz": b0[4] & 1, "unmap_lbas": unmap_lbas,
            "unmap_descs": unmap_descs, "write_same": struct.unpack(">Q", b0[36:44])[0],
            "max_transfer": struct.unpack(">I", b0[8:12])[0]}


# -- READ and WRITE at the edges ----------------------------------------------

@suite.cases([(f"{kind}_{size}", kind, size) for kind in ("read", "write")
              for size in (6, 10, 12, 16)])
def edges(b, kind, size):
    """The last block is there, the one behind it is 05/21/00, and so is a range across."""
    with opened(b) as s:
        def go(lba, n):
            if kind == "read":
                return s.scsi(scsi.read(lba, n, size), read=n * 512)
            return s.scsi(scsi.write(lba, n, size), out=bytes(n * 512))
        good(go(BLOCKS - 1, 1))
        bad_range(go(BLOCKS, 1))
        bad_range(go(BLOCKS - 1, 2))
        top = {6: 0x1FFFFF, 10: 0xFFFFFFFF, 12: 0xFFFFFFFF, 16: 0xFFFFFFFFFFFFFFFF}[size]
        bad_range(go(top, 1))
        bad_range(go(top - 1, 8))                           # lba + blocks wraps
        if size == 16:
            for lba in (1 << 32, 1 << 55, (1 << 55) - 1, 1 << 63):    # times 512 wraps
                bad_range(go(lba, 8))


@suite.cases([(f"{kind}_{size}", kind, size) for kind in ("read", "write")
              for size in (10, 12, 16)])
def nothing_beyond_the_end(b, kind, size):
    """No blocks at an LBA beyond the medium: 05/21/00 all the same."""
    build = {"read": scsi.read, "write": scsi.write}[kind]
    with opened(b) as s:
        bad_range(s.scsi(build(BLOCKS + 1, 0, size)))
        bad_range(s.scsi(build(0xFFFFFFFF, 0, size)))


@suite.cases([("10", 10, 0xFFFF), ("12", 12, 0xFFFFFFFF), ("16", 16, 0xFFFFFFFF)])
def longest_transfer(b, size, blocks):
    """More blocks than the unit has, or than VPD B0h allows: an error before any data."""
    with opened(b) as s:
        for build, flag in ((scsi.read, READ_FLAG), (scsi.write, WRITE_FLAG)):
            t = s.scsi(build(0, blocks, size), flags=0x80 | flag | 1, edtl=4096, manual=True)
            condition(t, scsi.ILLEGAL_REQUEST)
            equal(len(t.r2ts) + len(t.datain), 0, "R2Ts and bytes")


@suite.case
def maximum_transfer_length_is_true(b):
    """VPD B0h: one block more than MAXIMUM TRANSFER LENGTH is refused (SBC-3 6.6.3)."""
    t = b.d.target(mb=64)
    with opened(b, t.name) as s:
        most = limits(s)["max_transfer"]
        if most and most < 64 << 11:
            condition(s.scsi(scsi.read(0, most + 1, 16), read=(most + 1) * 512),
                      scsi.ILLEGAL_REQUEST)
            equal(len(s.read(0, most, size=16)), most * 512, "bytes of the longest transfer")


@suite.case
def writes_survive(b):
    """FUA, then the file itself: GOOD means done."""
    data = random.Random(1).randbytes(65536)
    with opened(b) as s:
        s.write(LBA, data, flags=0x08)
        with open(b.target.paths[1], "rb") as f:
            f.seek(LBA * 512)
            equal(f.read(65536), data, "the file")


# -- SYNCHRONIZE CACHE, START STOP --------------------------------------------

@suite.cases([("10", 10), ("16", 16)])
def sync_cache(b, size):
    with opened(b) as s:
        s.write(LBA, bytes(4096))
        for lba, n in ((0, 0), (LBA, 8), (BLOCKS - 1, 1), (BLOCKS - 8, 0)):
            good(s.scsi(scsi.sync_cache(lba, n, size)))
        good(s.scsi(scsi.sync_cache(0, 0, size, immed=1)))
        bad_range(s.scsi(scsi.sync_cache(BLOCKS + 1, 1, size)))
        bad_range(s.scsi(scsi.sync_cache(BLOCKS - 1, 2, size)))


@suite.case
def start_stop(b):
    """Stopped, a unit may say 02/04/02; started, it is ready."""
    t = b.d.target(mb=1)
    with opened(b, t.name) as s:
        good(s.scsi(scsi.start_stop(0)))
        x = s.scsi(scsi.tur())
        if x.status != scsi.GOOD:
            condition(x, scsi.NOT_READY, 0x0402)
        good(s.scsi(scsi.start_stop(1)))
        s.clear_ua()
        s.read(0, 1)


# -- VERIFY -------------------------------------------------------------------

@suite.cases([("10", 10), ("12", 12), ("16", 16)])
def verify(b, size):
    """SBC-3 5.32: BYTCHK 00b has no data; 01b compares, and says where it differs."""
    with opened(b) as s:
        good(s.scsi(scsi.verify(0, 64, size)))
        good(s.scsi(scsi.verify(0, 0, size)))
        bad_range(s.scsi(scsi.verify(BLOCKS, 1, size)))
        bad_range(s.scsi(scsi.verify(BLOCKS - 1, 2, size)))
        data = bytearray(pattern(0, 16))
        good(s.scsi(scsi.verify(0, 16, size, 1), out=bytes(data)))
        for at in (0, 511, 512, 8191):
            data[at] ^= 0x80
            t = condition(s.scsi(scsi.verify(0, 16, size, 1), out=bytes(data)), scsi.MISCOMPARE,
                          scsi.MISCOMPARE_DURING_VERIFY)
            if t.sense.info is not None:
                equal(t.sense.info, at, "INFORMATION: the offset of the difference")
            data[at] ^= 0x80
        good(s.scsi(scsi.verify(0, 16, size, 1), out=bytes(data)))


@suite.cases([("10", 10), ("12", 12), ("16", 16)])
def verify_other_bytchk(b, size):
    """10b is reserved; 11b compares one block with each, or is refused."""
    with opened(b) as s:
        bad_field(s.scsi(scsi.verify(0, 1, size, 2), out=bytes(512)), (True, 1))
        s.write(LBA, b"\x5a" * 4096)
        t = s.scsi(scsi.verify(LBA, 8, size, 3), out=b"\x5a" * 512)
        if t.status != scsi.GOOD:
            bad_field(t)
            return
        condition(s.scsi(scsi.verify(LBA, 8, size, 3), out=b"\x5b" * 512), scsi.MISCOMPARE)


# -- UNMAP, WRITE SAME --------------------------------------------------------

def thin(b):
    """A target with a thin disk, its 4 MiB written."""
    t = b.d.target(mb=4)
    t.lun_params(1, "thin_provisioning=1")
    with opened(b, t.name) as s:
        for lba in range(0, 8192, 2048):
            s.write(lba, b"\xaa" * (1 << 20))
        return t, limits(s)


def unmap(s, ranges, raw=None, size=None):
    raw = scsi.unmap_list(ranges) if raw is None else raw
    return s.scsi(scsi.unmap(len(raw) if size is None else size), out=raw)


@suite.case
def unmap_frees(b):
    """SBC-3 5.28: unmapped blocks read as zeroes (LBPRZ), their neighbours stay, and the file
    becomes smaller."""
    t, can = thin(b)
    check(can["unmap"], "a thin file LUN does not offer UNMAP (VPD B2h, LBPU)")
    before = os.stat(t.paths[1]).st_blocks
    with opened(b, t.name) as s:
        lbprz = good(s.scsi(scsi.read_capacity16(), read=32)).datain[14] & 0x40
        good(unmap(s, [(2048, 4096), (7000, 8)]))
        for lba, n, gone in ((0, 2048, False), (2048, 4096, True), (6144, 856, False),
                             (7000, 8, True), (7008, 1184, False)):
            got = s.read(lba, n)
            if not gone:
                check(got == b"\xaa" * n * 512, f"blocks {lba}+{n} changed")
            elif lbprz:
                check(got == bytes(n * 512), f"blocks {lba}+{n} are not zero")
    check(os.stat(t.paths[1]).st_blocks < before, "no block of the file was freed")


@suite.case
def unmap_parameters(b):
    """SBC-3 5.28.2: lengths that do not fit, ranges beyond the end, too many descriptors."""
    t, can = thin(b)
    with opened(b, t.name) as s:
        good(s.scsi(scsi.unmap(0)))                         # no list is no error
        good(unmap(s, []))
        condition(unmap(s, None, bytes(7)), scsi.ILLEGAL_REQUEST, scsi.PARAMETER_LIST_LENGTH)
        bad_range(unmap(s, [(0, 8), (8192, 1)]))
        bad_range(unmap(s, [(8191, 2)]))
        bad_range(unmap(s, [((1 << 64) - 1, 2)]))
        bad_range(unmap(s, [(1 << 55, 8)]))
        if can["unmap_descs"] not in (0, 0xFFFFFFFF):
            n = can["unmap_descs"] + 1
            if 8 + 16 * n <= 65535:
                condition(unmap(s, [(i % 64, 1) for i in range(n)]), scsi.ILLEGAL_REQUEST)
        check(s.read(100, 8000) == b"\xaa" * 8000 * 512, "a refused UNMAP unmapped")


@suite.case
def unmap_many_descriptors(b):
    t, can = thin(b)
    with opened(b, t.name) as s:
        n = min(can["unmap_descs"] or 1, 32)
        good(unmap(s, [(i * 16, 8) for i in range(n)]))
        for i in range(n):
            check(s.read(i * 16 + 8, 8) == b"\xaa" * 4096, f"the gap behind descriptor {i} changed")


@suite.case
def unmap_where_not_offered(b):
    """A unit without LBPU refuses the command; it never says GOOD and does nothing."""
    t = b.d.target(mb=1)
    with opened(b, t.name) as s:
        if not limits(s)["unmap"]:
            condition(unmap(s, [(0, 8)]), scsi.ILLEGAL_REQUEST, scsi.INVALID_OPCODE)


@suite.cases([("10", 10), ("16", 16)])
def write_same(b, size):
    """SBC-3 5.43: one block, written to many."""
    block = random.Random(size).randbytes(512)
    with opened(b) as s:
        s.write(LBA - 1, b"\x11" * 512 * 102)
        good(s.scsi(scsi.write_same(LBA, 100, size), out=block))
        equal(s.read(LBA - 1, 102), b"\x11" * 512 + block * 100 + b"\x11" * 512, "the blocks")
        bad_range(s.scsi(scsi.write_same(BLOCKS, 1, size), out=block))
        bad_range(s.scsi(scsi.write_same(BLOCKS - 1, 2, size), out=block))


@suite.cases([("10", 10), ("16", 16)])
def write_same_to_the_end(b, size):
    """NUMBER OF BLOCKS 0: to the end of the medium, or 05/24/00 when WSNZ is set."""
    t = b.d.target(mb=1)
    with opened(b, t.name) as s:
        x = s.scsi(scsi.write_same(1000, 0, size), out=b"\x3c" * 512)
        if limits(s)["wsnz"]:
            bad_field(x)
            return
        good(x)
        equal(s.read(999, 1049), pattern(999, 1) + b"\x3c" * 512 * 1048, "the blocks")
        bad_range(s.scsi(scsi.write_same(2048, 0, size), out=bytes(512)))
    # A number that nobody has said is bounded as any other.
    t = b.d.target(mb=64)
    with opened(b, t.name) as s:
        most = limits(s)["write_same"]
        check(0 < most < 131072, f"MAXIMUM WRITE SAME LENGTH is {most}")
        bad_field(s.scsi(scsi.write_same(131072 - most - 1, 0, size), out=bytes(512)))
        equal(s.read(0, 1), pattern(0, 1), "the first block")
        good(s.scsi(scsi.write_same(131072 - most, 0, size), out=b"\x3c" * 512))


@suite.cases([("10", 10), ("16", 16)])
def write_same_unmaps(b, size):
    """The UNMAP bit with a block of zeroes reads as zeroes; what is not supported is refused."""
    t, _ = thin(b)
    with opened(b, t.name) as s:
        x = s.scsi(scsi.write_same(1024, 4096, size, 0x08), out=bytes(512))
        if x.status != scsi.GOOD:
            bad_field(x)
            check(s.read(1024, 4096) == b"\xaa" * 4096 * 512, "refused, and yet done")
            return
        check(s.read(1023, 4098) == b"\xaa" * 512 + bytes(4096 * 512) + b"\xaa" * 512, "the blocks")


@suite.case
def write_same_without_data(b):
    """NDOB: zeroes, without a block of data; or 05/24/00."""
    with opened(b) as s:
        s.write(LBA, b"\x11" * 4096)
        t = s.scsi(scsi.write_same(LBA, 8, 16, 0x01))
        if t.status == scsi.GOOD:
            equal(s.read(LBA, 8), bytes(4096), "the blocks")
        else:
            bad_field(t, (True, 1))


@suite.case
def write_same_above_its_maximum(b):
    """VPD B0h, MAXIMUM WRITE SAME LENGTH."""
    t = b.d.target(mb=64)
    with opened(b, t.name) as s:
        most = limits(s)["write_same"]
        if most and most < 64 << 11:
            bad_field(s.scsi(scsi.write_same(0, most + 1, 16), out=bytes(512)))


if __name__ == "__main__":
    sys.exit(suite.run())
