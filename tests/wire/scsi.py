# SPDX-License-Identifier: BSD-3-Clause
"""SCSI as seen from an initiator: CDBs, sense data, status codes.  Knows no iSCSI."""

import struct
from collections import namedtuple

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT = 0x00, 0x02, 0x08, 0x18
TASK_SET_FULL, TASK_ABORTED = 0x28, 0x40

NO_SENSE, NOT_READY, MEDIUM_ERROR, HARDWARE_ERROR = 0, 2, 3, 4
ILLEGAL_REQUEST, UNIT_ATTENTION, DATA_PROTECT, ABORTED_COMMAND = 5, 6, 7, 0xB
MISCOMPARE = 0xE

# asc << 8 | ascq, SPC-4 annex D
INVALID_OPCODE = 0x2000
LBA_OUT_OF_RANGE = 0x2100
INVALID_FIELD_IN_CDB = 0x2400
LUN_NOT_SUPPORTED = 0x2500
INVALID_FIELD_IN_PARAMETERS = 0x2600
MISCOMPARE_DURING_VERIFY = 0x1D00
PARAMETER_LIST_LENGTH = 0x1A00
CRC_ERROR = 0x4705          # PROTOCOL SERVICE CRC ERROR
UNEXPECTED_UNSOLICITED = 0x0C0C     # RFC 7143 11.4.7.2
INCORRECT_DATA_AMOUNT = 0x0C0D

Sense = namedtuple("Sense", "key code response_code info field specific")


def parse_sense(raw):
    """Fixed (70h, 71h) and descriptor (72h, 73h) format, SPC-4 4.5.  None when there is none.

    `field` is (in_cdb, byte, bit or None) of the sense-key specific field pointer, or None;
    `specific` the bytes of COMMAND-SPECIFIC INFORMATION.
    """
    if not raw:
        return None
    rc = raw[0] & 0x7F
    if rc in (0x70, 0x71):
        if len(raw) < 8 or len(raw) < 8 + raw[7]:
            raise ValueError(f"fixed sense is cut short: {raw.hex()}")
        raw = raw.ljust(18, b"\0")
        info = struct.unpack(">I", raw[3:7])[0] if raw[0] & 0x80 else None
        return Sense(raw[2] & 0xF, raw[12] << 8 | raw[13], rc, info, _field(raw[15:18]),
                     raw[8:12])
    if rc in (0x72, 0x73):
        if len(raw) < 8 or len(raw) < 8 + raw[7]:
            raise ValueError(f"descriptor sense is cut short: {raw.hex()}")
        return _descriptors(raw, rc)
    raise ValueError(f"sense response code {rc:#x}")


def _field(sks):
    if not sks[0] & 0x80:
        return None
    bit = sks[0] & 7 if sks[0] & 8 else None
    return bool(sks[0] & 0x40), sks[1] << 8 | sks[2], bit


def _descriptors(raw, rc):
    info, field, specific = None, None, bytes(8)
    at, end = 8, 8 + raw[7]
    while at + 2 <= end:
        kind, size = raw[at], raw[at + 1] + 2
        if kind == 0 and raw[at + 2] & 0x80:
            info = struct.unpack(">Q", raw[at + 4:at + 12])[0]
        if kind == 1:
            specific = raw[at + 4:at + 12]
        if kind == 2:
            field = _field(raw[at + 4:at + 7])
        at += size
    return Sense(raw[1] & 0xF, raw[2] << 8 | raw[3], rc, info, field, specific)


def cdb(opcode, size, *parts):
    """A CDB of @size bytes.  Each part is (byte, width, value), big-endian."""
    out = bytearray(size)
    out[0] = opcode
    for at, width, value in parts:
        field = int.from_bytes(out[at:at + width], "big") | value
        out[at:at + width] = field.to_bytes(width, "big")
    return bytes(out)


def tur():
    return cdb(0x00, 6)


def request_sense(desc=0, alloc=252):
    return cdb(0x03, 6, (1, 1, desc), (4, 1, alloc))


def inquiry(evpd=0, page=0, alloc=0xFF, size=6):
    return cdb(0x12, size, (1, 1, evpd), (2, 1, page), (3, 2, alloc))


def mode_sense6(page, alloc=0xFF, pc=0, subpage=0, dbd=0):
    return cdb(0x1A, 6, (1, 1, dbd << 3), (2, 1, pc << 6 | page), (3, 1, subpage), (4, 1, alloc))


def mode_sense10(page, alloc=0xFFFF, pc=0, subpage=0, dbd=0):
    return cdb(0x5A, 10, (1, 1, dbd << 3), (2, 1, pc << 6 | page), (3, 1, subpage), (7, 2, alloc))


def report_luns(select=0, alloc=4096):
    return cdb(0xA0, 12, (2, 1, select), (6, 4, alloc))


def read_capacity10():
    return cdb(0x25, 10)


def read_capacity16(alloc=32):
    return cdb(0x9E, 16, (1, 1, 0x10), (10, 4, alloc))


def report_opcodes(option=0, opcode=0, sa=0, alloc=8192, rctd=0):
    return cdb(0xA3, 12, (1, 1, 0x0C), (2, 1, rctd << 7 | option), (3, 1, opcode), (4, 2, sa),
               (6, 4, alloc))


# opcode, CDB bytes, LBA place, length place (byte, width) of each of a family's sizes
_RW = {6: ((1, 3), (4, 1)), 10: ((2, 4), (7, 2)), 12: ((2, 4), (6, 4)), 16: ((2, 8), (10, 4))}
_READ = {6: 0x08, 10: 0x28, 12: 0xA8, 16: 0x88}
_WRITE = {6: 0x0A, 10: 0x2A, 12: 0xAA, 16: 0x8A}
_VERIFY = {10: 0x2F, 12: 0xAF, 16: 0x8F}


def _rw(opcode, size, lba, blocks, flags):
    (at, width), (len_at, len_width) = _RW[size]
    parts = [(at, width, lba), (len_at, len_width, blocks)]
    if flags:
        parts.append((1, 1, flags))
    return cdb(opcode, size, *parts)


def read(lba, blocks, size=10, flags=0):
    return _rw(_READ[size], size, lba, blocks, flags)


def write(lba, blocks, size=10, flags=0):
    return _rw(_WRITE[size], size, lba, blocks, flags)


def verify(lba, blocks, size=10, bytchk=0):
    return _rw(_VERIFY[size], size, lba, blocks, bytchk << 1)


def sync_cache(lba=0, blocks=0, size=10, immed=0):
    return _rw({10: 0x35, 16: 0x91}[size], size, lba, blocks, immed << 1)


def write_same(lba, blocks, size=10, flags=0):
    return _rw({10: 0x41, 16: 0x93}[size], size, lba, blocks, flags)


def start_stop(start=1, flags=0):
    return cdb(0x1B, 6, (4, 1, start | flags))


def unmap(list_bytes):
    return cdb(0x42, 10, (7, 2, list_bytes))


def unmap_list(ranges):
    """UNMAP parameter list, SBC-3 5.28.2: header and one descriptor per (lba, blocks)."""
    body = b"".join(struct.pack(">QIxxxx", lba, n) for lba, n in ranges)
    return struct.pack(">HHxxxx", len(body) + 6, len(body)) + body


def reserve6():
    return cdb(0x16, 6)


def release6():
    return cdb(0x17, 6)


def reserve10():
    return cdb(0x56, 10)


def release10():
    return cdb(0x57, 10)
