#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The captured requests and responses of tests/services/sheep/vectors.

  sheep_vectors.py send ADDRESS     each request, compared with the response byte for
                                    byte; the VDI must be there
  sheep_vectors.py build            sheep.py makes the requests from what they mean,
                                    and understands the responses
"""
import glob
import os
import re
import struct
import sys

import sheep
from sheep import SHARED, data_oid, inode_oid, object_request

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "services", "sheep", "vectors")
CTIME = 0x6b00df771e197990          # of the inode that was captured


def parse(path):
    """{"request": bytes, "response": bytes}"""
    parts, part = {}, None
    with open(path, encoding="ascii") as f:
        for line in f:
            if m := re.match(r"(request|response) (\d+)$", line):
                part = parts[m[1]] = bytearray(int(m[2]))
            elif m := re.match(r"([0-9a-f]{4})  ([0-9a-f ]+)$", line):
                row = bytes.fromhex(m[2])
                part[int(m[1], 16):int(m[1], 16) + len(row)] = row
            elif not line.startswith("#"):
                raise SystemExit(f"{path}: {line}")
    return {k: bytes(v) for k, v in parts.items()}


def vectors():
    for path in sorted(glob.glob(os.path.join(VECTORS, "[0-9]*"))):
        yield os.path.basename(path), parse(path)


def compare(name, got, wanted):
    if got == wanted:
        return
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
    raise SystemExit(f"{name}: {len(got)} bytes, expected {len(wanted)}; they differ at 0x{at:x}: "
                     f"{got[at:at + 16].hex(' ')}, expected {wanted[at:at + 16].hex(' ')}")


def send(address):
    with sheep.Sheep(address) as s:
        for name, v in vectors():
            compare(name, s.ask(v["request"]).raw, v["response"])
            print(name)


VID = 0x2a0b08
PATTERN = bytes(range(16))
TGT0 = {                # how a client that knows the protocol says the same
    "01-lock": lambda: sheep.name_request(sheep.LOCK_VDI, "tgt0", lock=SHARED, ident=1),
    "02-info-nosuch": lambda: sheep.name_request(sheep.VDI_INFO, "nosuch", ident=2),
    "03-read-inode": lambda: object_request(sheep.READ, inode_oid(VID), length=4664, ident=3),
    "04-create": lambda: object_request(sheep.CREATE, data_oid(VID, 1), 512, PATTERN, ident=4),
    "05-slot": lambda: object_request(sheep.WRITE, inode_oid(VID), 4664 + 4,
                                      struct.pack("<I", VID), ident=5),
    "06-read": lambda: object_request(sheep.READ, data_oid(VID, 1), 504, length=32, ident=6),
    "07-read-nosuch": lambda: object_request(sheep.READ, data_oid(VID, 2), length=16, ident=7),
    "08-flush": lambda: object_request(sheep.FLUSH_VDI, inode_oid(VID), ident=8),
    "09-snapshot": lambda: sheep.new_request("tgt0", 10, size=1 << 30, base=VID, snapid=1),
    "10-readonly": lambda: object_request(sheep.WRITE, data_oid(VID, 1), 0, b"\xee" * 16, ident=11),
    "11-cow": lambda: object_request(sheep.CREATE, data_oid(VID + 1, 1), 0, b"\xee" * 16, ident=12,
                                     flags=sheep.F_COW, cow=data_oid(VID, 1)),
    "12-read-copy": lambda: object_request(sheep.READ, data_oid(VID + 1, 1), 512, length=16,
                                           ident=13),
    "13-discard": lambda: object_request(sheep.DISCARD, data_oid(VID + 1, 1), ident=14),
    "14-release": lambda: sheep.release_request(VID, SHARED, ident=15),
}
MEANS = {               # result, vid, payload
    "01-lock": (0, VID, b""), "02-info-nosuch": (sheep.NO_VDI, 0, b""),
    "06-read": (0, 0, bytes(8) + PATTERN + bytes(8)), "07-read-nosuch": (sheep.NO_OBJ, 0, b""),
    "08-flush": (sheep.INVALID_PARMS, 0, b""), "09-snapshot": (0, VID + 1, b""),
    "10-readonly": (sheep.READONLY, 0, b""), "12-read-copy": (0, 0, PATTERN),
}


def build():
    names = []
    for name, v in vectors():
        compare(name, TGT0[name](), v["request"])
        r = sheep.Reply(v["response"][:48], v["response"][48:])
        if name in MEANS:
            got = (r.result, r.vid, r.data)
            if got != MEANS[name]:
                raise SystemExit(f"{name}: it means {MEANS[name]}, not {got}")
        if len(r.data) != r.length or r.id != struct.unpack_from("<I", v["request"], 8)[0]:
            raise SystemExit(f"{name}: length or id")
        if name == "03-read-inode":
            i = sheep.Inode(r.data)
            got = (i.name, i.size, i.vid, i.snap_id, i.copies, i.shift, i.ctime, i.snap_time)
            if got != ("tgt0", 1 << 30, VID, 1, 1, 22, CTIME, 0):
                raise SystemExit(f"{name}: {got}")
        names.append(name)
    if names != list(TGT0):
        raise SystemExit(f"of {list(TGT0)} there are {names}")


if __name__ == "__main__":
    {"send": send, "build": build}[sys.argv[1]](*sys.argv[2:])
