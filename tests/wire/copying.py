# SPDX-License-Identifier: BSD-3-Clause
"""Third-party copies as an initiator asks for them: SPC-4 6.4, 6.5, SBC-3 5.7, 5.45."""

import os
import random
import struct

import scsi
from expect import good

LID1, LID4, POPULATE, WRITE_TOKEN, ABORT = 0x00, 0x01, 0x10, 0x11, 0x1C
STATUS1, DATA1, PARAMETERS, FAILURE, STATUS4, ROD, ALL_RODS = 0, 1, 3, 4, 5, 7, 8
COPY_ABORTED = 0xA
SELF = 0xF800
ZERO_TOKEN = struct.pack(">IHH", 0xFFFF0001, 0, 504) + bytes(504)

# asc << 8 | ascq
IN_PROGRESS = 0x0016
DEVICE_FAILURE, NOT_REACHABLE, WRONG_TYPE = 0x0D01, 0x0D02, 0x0D03
INVALID_TOKEN, TYPE_UNSUPPORTED, UNKNOWN, CORRUPT = 0x2300, 0x2301, 0x2304, 0x2305
REVOKED, EXPIRED, DELETED, TOKEN_LENGTH = 0x2306, 0x2307, 0x2309, 0x230A
TOO_MANY_CSCDS, CSCD_TYPE, TOO_MANY_SEGMENTS, SEGMENT_TYPE = 0x2606, 0x2607, 0x2608, 0x2609
INEXACT, INLINE, GRANULARITY = 0x260A, 0x260B, 0x260D

DONE, FAILED, BACKGROUND, TERMINATED = 0x01, 0x02, 0x12, 0x60


def naa(s, lun):
    """The NAA designator of VPD page 83h, as (header, value)."""
    d = bytes(good(s.scsi(scsi.inquiry(1, 0x83), lun=lun, read=255)).datain)[4:]
    while d[1] & 0x3F != 0x03:
        d = d[4 + d[3]:]
    return d[:4], d[4:4 + d[3]]


def cscd(designator, block=512, pad=0, kind=0xE4, pdt=0):
    header, value = designator
    return (struct.pack(">BBH", kind, pdt, 0) + header + value.ljust(20, b"\0") +
            struct.pack(">B", pad << 2) + block.to_bytes(3, "big"))


def segment(src, dst, blocks, src_lba, dst_lba, dc=0, cat=0, kind=0x02):
    return struct.pack(">BBHHHHHQQ", kind, dc << 1 | cat, 0x18, src, dst, 0, blocks, src_lba,
                       dst_lba)


def byte_segment(src, dst, n, src_lba, dst_lba, src_off, dst_off):
    return struct.pack(">BBHHHIQQHH", 0x0A, 0, 0x1C, src, dst, n, src_lba, dst_lba, src_off,
                       dst_off)


def list1(cscds, segments, list_id=1, usage=0, inline=0, slack=b""):
    c, g = b"".join(cscds), b"".join(segments)
    return struct.pack(">BBHIII", list_id, usage << 3, len(c), 0, len(g), inline) + c + g + slack


def list4(cscds, segments, list_id=1, usage=0, immed=0):
    c, g = b"".join(cscds), b"".join(segments)
    return (struct.pack(">BBH11xBB3xI18xHHH", 1, usage << 3, 0x20, immed, 0xFF, list_id, len(c),
                        len(g), 0) + c + g)


def out_cdb(sa, n, list_id=0):
    return scsi.cdb(0x83, 16, (1, 1, sa), (6, 4, list_id), (10, 4, n))


def in_cdb(sa, list_id=0, alloc=65536):
    width = 1 if sa in (STATUS1, DATA1, FAILURE) else 4
    return scsi.cdb(0x84, 16, (1, 1, sa), (2, width, list_id), (10, 4, alloc))


def abort_cdb(list_id):
    return scsi.cdb(0x83, 16, (1, 1, ABORT), (2, 4, list_id))


def send(s, sa, data, lun=1, list_id=0):
    return s.scsi(out_cdb(sa, len(data), list_id), lun=lun, out=data)


def ask(s, sa, list_id=0, lun=1):
    return s.scsi(in_cdb(sa, list_id), lun=lun, read=65536)


def ranges(rs):
    return b"".join(struct.pack(">QI4x", lba, n) for lba, n in rs)


def populate_list(rs, timeout=0, rod_type=None, immed=0):
    d = ranges(rs)
    flags = immed | (0x02 if rod_type is not None else 0)
    return struct.pack(">HBxII2xH", 14 + len(d), flags, timeout, rod_type or 0, len(d)) + d


def write_list(token, rs, offset=0, immed=0, delete=0):
    d = ranges(rs)
    return (struct.pack(">HB5xQ", 534 + len(d), immed | delete << 1, offset) + token +
            struct.pack(">6xH", len(d)) + d)


def sparse_disk(daemon, gib, seed, spots):
    """A file with a MiB of data at each of @spots (in MiB), and holes else."""
    path = daemon.disk(1)
    rnd = random.Random(seed)
    with open(path, "r+b") as f:
        f.truncate(0)
        f.truncate(gib << 30)
        for at in spots:
            f.seek(at << 20)
            f.write(rnd.randbytes(1 << 20))
    return path


def extents(path):
    """Where a file has data, and what, without reading its holes."""
    with open(path, "rb") as f:
        at, end = 0, os.fstat(f.fileno()).st_size
        while at < end:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            while at < hole:
                n = min(1 << 20, hole - at)
                yield at, os.pread(f.fileno(), n, at)
                at += n


def same(path_a, path_b):
    """Byte for byte: what one has as data, the other has, be it as a hole of zeroes."""
    def covers(a, b):
        with open(b, "rb") as f:
            return all(os.pread(f.fileno(), len(d), at) == d for at, d in extents(a))
    return (os.stat(path_a).st_size == os.stat(path_b).st_size and covers(path_a, path_b) and
            covers(path_b, path_a))


class Status:
    """Of RECEIVE COPY STATUS(LID4) and RECEIVE ROD TOKEN INFORMATION."""

    def __init__(self, raw):
        (length, self.sa, self.state, self.delay, self.status, self.sense_field, n, self.units,
         self.count, self.segments) = struct.unpack(">IBB2xIBBBBQH6x", raw[:32])
        self.whole = length + 4 == len(raw)
        self.sense = scsi.parse_sense(raw[32:32 + n])
        self.token = raw[32 + self.sense_field + 6:][:512] or None


def rod(s, list_id, lun=1):
    return Status(bytes(good(ask(s, ROD, list_id, lun)).datain))


def token_of(s, rs, list_id=1, lun=1, **how):
    good(send(s, POPULATE, populate_list(rs, **how), lun, list_id))
    return rod(s, list_id, lun).token
