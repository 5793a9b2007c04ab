# SPDX-License-Identifier: BSD-3-Clause
"""Persistent reservations as an initiator asks for them, SPC-4 6.15 and 6.16."""

import struct
from collections import namedtuple

import scsi
from expect import good
from session import Session

REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_ABORT, REGISTER_IGNORE, MOVE = range(8)
READ_KEYS, READ_RESERVATION, REPORT_CAPABILITIES, READ_FULL_STATUS = range(4)

# Table 230
WE, EA, WE_RO, EA_RO, WE_AR, EA_AR = 1, 3, 5, 6, 7, 8
TYPES = {"WE": WE, "EA": EA, "WE_RO": WE_RO, "EA_RO": EA_RO, "WE_AR": WE_AR, "EA_AR": EA_AR}

SPEC_I_PT, ALL_TG_PT, APTPL = 0x08, 0x04, 0x01

RESERVATIONS_PREEMPTED, RESERVATIONS_RELEASED, REGISTRATIONS_PREEMPTED = 0x2A03, 0x2A04, 0x2A05
INVALID_RELEASE = 0x2604

Full = namedtuple("Full", "key holder type port name")


def pr_in(action, alloc=4096):
    return scsi.cdb(0x5E, 10, (1, 1, action), (7, 2, alloc))


def pr_out_cdb(action, kind=0, size=24, scope=0):
    return scsi.cdb(0x5F, 10, (1, 1, action), (2, 1, scope << 4 | kind), (5, 4, size))


def basic_list(key=0, new=0, flags=0, more=b""):
    return struct.pack(">QQIBxxx", key, new, 0, flags) + more


def transport_id(name, form=1):
    """iSCSI: format 00b a node, 01b a port with its ISID, 7.6.4.6."""
    raw = name.encode() + b"\0"
    raw = raw.ljust(max(20, (len(raw) + 3) & ~3), b"\0")
    return struct.pack(">BxH", form << 6 | 5, len(raw)) + raw


def id_list(*ids):
    raw = b"".join(ids)
    return struct.pack(">I", len(raw)) + raw


def move_list(key, new, name, port=1, unreg=0, aptpl=0, form=1):
    tid = transport_id(name, form)
    return struct.pack(">QQxBHI", key, new, unreg << 1 | aptpl, port, len(tid)) + tid


def port_name(s):
    """Of the initiator port of session @s."""
    return f"{s.name},i,0x{s.isid.hex()}"


class Node(Session):
    """A session of an initiator with its reservation key."""

    def __init__(self, b, number, key=None, target=None, lun=1, clear=True):
        self.name = f"iqn.2001-04.org.example:node{number}"
        super().__init__(b.addr, target or b.iqn, initiator=self.name,
                         isid=bytes([0x80, 0, 0, 0, 0, number]))
        self.key, self.lun = key or 0x1000 + number, lun
        if clear:
            self.clear_ua(lun)

    def out(self, action, kind=0, key=None, new=0, flags=0, more=b"", scope=0, raw=None):
        data = raw if raw is not None else basic_list(self.key if key is None else key, new,
                                                      flags, more)
        return self.scsi(pr_out_cdb(action, kind, len(data), scope), out=data, lun=self.lun)

    def register(self, flags=0):
        good(self.out(REGISTER_IGNORE, key=0, new=self.key, flags=flags))
        return self

    def reserve(self, kind):
        good(self.out(RESERVE, kind))
        return self

    def pr(self, action, alloc=4096):
        return bytes(good(self.scsi(pr_in(action, alloc), read=65535, lun=self.lun)).datain)

    def keys(self):
        """-> generation, keys"""
        raw = self.pr(READ_KEYS)
        generation, size = struct.unpack(">II", raw[:8])
        assert size == len(raw) - 8
        return generation, list(struct.unpack(f">{size // 8}Q", raw[8:]))

    def held(self):
        """-> (key, type) or None"""
        raw = self.pr(READ_RESERVATION)
        size = struct.unpack(">I", raw[4:8])[0]
        assert size in (0, 16) and size == len(raw) - 8
        return (struct.unpack(">Q", raw[8:16])[0], raw[21]) if size else None

    def full(self):
        raw, out, at = self.pr(READ_FULL_STATUS, 65535), [], 8
        assert struct.unpack(">I", raw[4:8])[0] == len(raw) - 8
        while at < len(raw):
            key, flags, kind, port, size = struct.unpack(">QxxxxBBxxxxHI", raw[at:at + 24])
            tid = raw[at + 24:at + 24 + size]
            assert tid[0] == 0x45 and struct.unpack(">H", tid[2:4])[0] == size - 4 and size % 4 == 0
            name = tid[4:].rstrip(b"\0").decode()
            out.append(Full(key, flags & 1, kind if flags & 1 else None, port, name))
            at += 24 + size
        return out

    def attention(self):
        """The code of the unit attention that is pending, or None.  It is told by that."""
        t = self.scsi(scsi.tur(), lun=self.lun)
        return t.sense.code if t.status == scsi.CHECK_CONDITION else None

    def attentions(self):
        """All that are pending."""
        codes = []
        while (code := self.attention()) is not None:
            codes.append(code)
        return codes
