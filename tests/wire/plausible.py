# SPDX-License-Identifier: BSD-3-Clause
"""Commands that are nearly right: a CDB for any row of doc/supported-commands.md, and a
parameter list as its command wants it, both spoiled now and then."""

import os
import re
import struct

import copying
import pr
import scsi

DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc",
                   "supported-commands.md")
ROW = re.compile(r"\| (\w\w)h(?:/(\w\w)h)? \| ([^|]+) \| (\d+) \| `([0-9a-f ]+)` \|")

# What keeps a disk from everybody for a while comes seldom.
RARE = {(0x04, None): 40, (0x48, 1): 40, (0x48, 2): 40, (0x1B, None): 10, (0xA4, 0x0A): 10,
        (0x16, None): 10, (0x56, None): 10, (0x5F, 5): 20, (0x5F, 1): 5}

# opcode: place of the LBA and of the number of blocks, blocks of data for one of the CDB
OUT, IN, NONE = 1, -1, 0
BLOCKS = {0x08: (6, IN), 0x0A: (6, OUT), 0x28: (10, IN), 0x2A: (10, OUT), 0x2E: (10, OUT),
          0x2F: (10, OUT), 0x34: (10, NONE), 0x35: (10, NONE), 0xA8: (12, IN), 0xAA: (12, OUT),
          0xAE: (12, OUT), 0xAF: (12, OUT), 0x88: (16, IN), 0x8A: (16, OUT), 0x8B: (16, OUT),
          0x8E: (16, OUT), 0x8F: (16, OUT), 0x90: (16, NONE), 0x91: (16, NONE), 0x41: (10, OUT),
          0x93: (16, OUT), 0x89: (16, OUT), 0x9C: (16, OUT)}
PLACES = {6: ((1, 3), (4, 1)), 10: ((2, 4), (7, 2)), 12: ((2, 4), (6, 4)), 16: ((2, 8), (10, 4))}


class Row:
    def __init__(self, opcode, sa, name, usage):
        self.opcode, self.name = int(opcode, 16), name
        self.sa = int(sa, 16) if sa else None
        self.usage = bytes.fromhex(usage.replace(" ", ""))
        self.key = (self.opcode, self.sa)


def rows():
    with open(DOC) as f:
        return [Row(m[1], m[2], m[3], m[5]) for m in ROW.finditer(f.read())]


class Shape:
    """Of a disk, and what there was to learn from it."""

    def __init__(self, lun, block, blocks):
        self.lun, self.block, self.blocks = lun, block, blocks
        self.pages, self.naa = [], None


class Generator:
    """@rnd decides all; @tokens are shared by those that may copy from another's."""

    def __init__(self, rnd, shapes, names, tokens):
        self.rnd, self.shapes, self.names, self.tokens = rnd, shapes, names, tokens
        self.rows = rows()
        self.weights = [1 / RARE.get(r.key, 1) for r in self.rows]

    # -- numbers --

    def number(self, width):
        r, top = self.rnd, (1 << 8 * width) - 1
        return r.choice((0, 1, 2, 4, 8, 24, 255, r.randrange(64), r.randrange(4096), top, top - 1,
                         1 << 8 * width - 1, r.randrange(top + 1))) & top

    def lba(self, shape, width=8):
        r, n = self.rnd, shape.blocks
        at = r.choice((0, r.randrange(n), r.randrange(n), r.randrange(n), n - 1, n - 8, n, n + 1,
                       (1 << 63) - 1, (1 << 64) - 1) if r.random() < 0.2 else (r.randrange(n),))
        return at & ((1 << 8 * width) - 1)

    def count(self, width=4):
        r = self.rnd
        return r.choice((0, 1, 1, 2, 8, 8, 16, 64, r.randrange(256), r.randrange(256))) if \
            r.random() < 0.97 else self.number(width)

    # -- CDBs --

    def bits(self, row):
        """Each field that the row evaluates, at random."""
        cdb, at = bytearray(len(row.usage)), 1
        while at < len(cdb):
            end = at
            while end < len(cdb) and row.usage[end] == 0xFF:
                end += 1
            if end > at:
                width = min(end - at, 4) if end - at != 8 else 8
                cdb[at:at + width] = self.number(width).to_bytes(width, "big")
                at += width
                continue
            if row.usage[at] and self.rnd.random() < 0.4:
                cdb[at] = self.rnd.randrange(256) & row.usage[at]
            at += 1
        cdb[0] = row.opcode
        if row.sa is not None:
            cdb[1] = (cdb[1] & ~0x1F | row.sa) & row.usage[1]
        return cdb

    def put(self, cdb, at, width, value):
        cdb[at:at + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "big")

    def command(self):
        """-> shape, row, CDB, bytes to send, bytes to ask for"""
        r = self.rnd
        shape = r.choice(self.shapes)
        row = r.choices(self.rows, self.weights)[0]
        cdb, out, asked = self.bits(row), b"", 0
        if row.opcode in BLOCKS:
            out, asked = self.blocks(row, cdb, shape)
        elif row.key in LISTS:
            out = self.spoil(LISTS[row.key](self, shape, cdb))
            at, width = LENGTH_AT.get(row.opcode, (None, 0))
            if at:
                self.put(cdb, at, width, len(out) if r.random() < 0.9 else self.number(width))
        else:
            asked = r.choice((0, 4, 8, 32, 255, 512, 4096, 65536))
            at, width = ASKED_AT.get(row.opcode, (None, 0))
            if at and r.random() < 0.7:
                self.put(cdb, at, width, asked)
            if row.key == (0x9E, 0x12):
                self.put(cdb, 2, 8, self.lba(shape))
            elif row.opcode in (0x83, 0x84) and row.sa not in (3, 8):
                width = 1 if row.opcode == 0x84 and row.sa in (0, 1, 4) else 4
                self.put(cdb, 2, width, r.randrange(6))
        if r.random() < 0.03:
            cdb[r.randrange(1, len(cdb))] ^= 1 << r.randrange(8)
        if r.random() < 0.02:
            out, asked = r.choice(((b"", 0), (r.randbytes(r.choice((1, 512, 4096))), 0),
                                   (b"", 512)))
        return shape, row, bytes(cdb), out, asked

    def blocks(self, row, cdb, shape):
        r = self.rnd
        size, way = BLOCKS[row.opcode]
        (at, width), (len_at, len_width) = PLACES[size]
        n = self.count(len_width)
        if row.opcode == 0x89:
            n &= 0xFF
            self.put(cdb, 10, 4, n)
        elif row.opcode == 0x9C:
            n &= 0xFFFF
            self.put(cdb, 10, 2, r.choice((0, 0, 0, 1, n)))
            self.put(cdb, 12, 2, n)
        else:
            self.put(cdb, len_at, len_width, n)
        if size == 6:
            cdb[1] &= 0xE0
            self.put(cdb, 1, 3, self.lba(shape, 3) & 0x1FFFFF)
            n = n & 0xFF or 256
        else:
            self.put(cdb, at, width, self.lba(shape, width))
        if r.random() < 0.8:
            cdb[6 if size == 10 else 10 if size == 12 else 14 if size == 16 else 5] = 0
        if row.opcode in (0x41, 0x93):
            data = r.choice((bytes(shape.block), r.randbytes(shape.block)))
            return (b"" if cdb[1] & 1 else data), 0
        if row.opcode in (0x2F, 0xAF, 0x8F) and not cdb[1] & 6:
            return b"", 0
        n = min(n, 512) * (2 if row.opcode == 0x89 else 1)
        if row.opcode in (0x2F, 0xAF, 0x8F) and cdb[1] & 6 == 6:
            n = 1
        if way == OUT:
            return self.some(n * shape.block), 0
        return b"", n * shape.block if way == IN else 0

    def some(self, n):
        return (self.rnd.randbytes(64) * (n // 64 + 1))[:n]

    # -- parameter lists --

    def spoil(self, data):
        r, data = self.rnd, bytearray(data)
        if data and r.random() < 0.3:
            for _ in range(r.randint(1, 3)):
                data[r.randrange(len(data))] = r.choice((0, 1, 0x7F, 0xFF, r.randrange(256)))
        if r.random() < 0.08:
            data = data[:r.randrange(len(data) + 1)]
        elif r.random() < 0.04:
            data += r.randbytes(r.choice((1, 4, 28, 512, 4096)))
        return bytes(data)

    def key(self):
        return self.rnd.choice((0, 1, 2, 3, 4, 0xFFFFFFFFFFFFFFFF))

    def pr_list(self, shape, cdb):
        r = self.rnd
        cdb[2] = r.choice((1, 3, 5, 6, 7, 8, 0, r.randrange(256)))
        name = r.choice(self.names) if r.random() < 0.8 else "iqn.2000-01.x:" + "y" * r.randrange(240)
        if cdb[1] & 0x1F == pr.MOVE:
            return pr.move_list(self.key(), self.key(), name, r.choice((1, 2, 3)),
                                r.randrange(2), r.randrange(2))
        flags = r.choice((0, 0, 0, 0, pr.APTPL, pr.ALL_TG_PT, pr.SPEC_I_PT,
                          pr.SPEC_I_PT | pr.ALL_TG_PT | pr.APTPL))
        more = b""
        if flags & pr.SPEC_I_PT:
            more = pr.id_list(*[pr.transport_id(r.choice(self.names) if r.random() < 0.7 else
                                                f"iqn.x:{r.randrange(500)},i,0x80")
                                for _ in range(r.choice((0, 1, 2, 200)))])
        return pr.basic_list(self.key(), self.key(), flags, more)

    def mode_list(self, shape, cdb):
        r, long_ = self.rnd, cdb[0] == 0x55
        cdb[1] |= 0x10 if r.random() < 0.9 else 0
        bd = r.choice((b"", struct.pack(">II", 0, shape.block), struct.pack(">II", shape.blocks, shape.block)))
        head = struct.pack(">HBBHH", 0, 0, 0, 0, len(bd)) if long_ else bytes((0, 0, 0, len(bd)))
        return head + bd + b"".join(r.choice(shape.pages) for _ in range(r.choice((0, 1, 1, 2))))

    def unmap_list(self, shape, cdb):
        return scsi.unmap_list([(self.lba(shape), self.count()) for _ in
                                range(self.rnd.choice((0, 1, 2, 8, 300)))])

    def copy_list(self, shape, cdb):
        r = self.rnd
        ends = [r.choice(self.shapes) for _ in range(r.choice((1, 2, 3)))]
        cscds = [copying.cscd(e.naa, e.block, r.randrange(2)) for e in ends]
        segments = []
        for _ in range(r.choice((0, 1, 1, 4, 70))):
            i, j = (r.choice((*range(len(ends)), copying.SELF)) for _ in "sd")
            src, dst = (shape if k == copying.SELF else ends[k] for k in (i, j))
            if r.random() < 0.8:
                segments.append(copying.segment(i, j, self.count(2) & 0xFFFF, self.lba(src),
                                                self.lba(dst), r.randrange(2), r.randrange(2)))
            else:
                segments.append(copying.byte_segment(
                    i, j, 512 * self.rnd.randrange(64), self.lba(src), self.lba(dst),
                    r.choice((0, 512, 65535)), r.choice((0, 4096, 7))))
        usage = r.choice((0, 0, 2, 3))
        list_id = 0 if usage == 3 else r.randrange(6)
        if cdb[1] & 0x1F == copying.LID1:
            return copying.list1(cscds, segments, list_id, usage)
        return copying.list4(cscds, segments, list_id, usage, r.randrange(2))

    def ranges(self, shape):
        return [(self.lba(shape), self.count()) for _ in range(self.rnd.choice((0, 1, 1, 2, 8, 66)))]

    def populate(self, shape, cdb):
        self.put(cdb, 6, 4, self.rnd.randrange(6))
        return copying.populate_list(self.ranges(shape), self.rnd.choice((0, 1, 600, 601)),
                                     immed=self.rnd.randrange(2))

    def write_token(self, shape, cdb):
        r = self.rnd
        self.put(cdb, 6, 4, r.randrange(6))
        token = r.choice(self.tokens) if self.tokens and r.random() < 0.8 else copying.ZERO_TOKEN
        return copying.write_list(token, self.ranges(shape), r.choice((0, 0, 1, 8, 1 << 60)),
                                  r.randrange(2), r.random() < 0.1)

    def sanitize(self, shape, cdb):
        n = self.rnd.choice((4, shape.block))
        return struct.pack(">BBH", self.rnd.choice((1, 2)), 0, n) + self.some(n)

    def format(self, shape, cdb):
        cdb[1] &= 0x3F
        return bytes((0, self.rnd.choice((0, 2, 0x82, 0x88)), 0, 0)) + (bytes(4) if cdb[1] & 0x20
                                                                         else b"")

    def groups(self, shape, cdb):
        r = self.rnd
        return bytes(4) + b"".join(struct.pack(">BBH", r.choice((0, 0, 0, 1, 2, 3)), 0, g)
                                   for g in r.choice(((1,), (2,), (1, 2), (3,))))

    def diagnostic(self, shape, cdb):
        return self.rnd.choice((b"", b"\0\0\0\0", b"\x3f\0\0\0", b"\x40\0\0\x0a" + bytes(10)))

    def timestamp(self, shape, cdb):
        return bytes(4) + self.rnd.randbytes(6) + bytes(2)

    def buffer(self, shape, cdb):
        r = self.rnd
        cdb[1] = r.choice((0x02, 0x0A, 0x00, 0x1A, 0x1C, r.randrange(32)))
        cdb[2] = r.choice((0, 0, 0, 1, 255))
        self.put(cdb, 3, 3, r.choice((0, 0, 4, 512, 4096, 65535, 65536, 0xFFFFFF)))
        return self.some(r.choice((0, 1, 4, 512, 4096, 65536)))


LISTS = {(0x15, None): Generator.mode_list, (0x55, None): Generator.mode_list,
         (0x1D, None): Generator.diagnostic, (0x3B, None): Generator.buffer,
         (0xA4, 0x0A): Generator.groups, (0xA4, 0x0F): Generator.timestamp,
         (0x83, 0): Generator.copy_list, (0x83, 1): Generator.copy_list,
         (0x83, 0x10): Generator.populate, (0x83, 0x11): Generator.write_token,
         (0x42, None): Generator.unmap_list, (0x48, 1): Generator.sanitize,
         (0x04, None): Generator.format,
         **{(0x5F, sa): Generator.pr_list for sa in range(8)}}
LENGTH_AT = {0x15: (4, 1), 0x55: (7, 2), 0x1D: (3, 2), 0x3B: (6, 3), 0xA4: (6, 4), 0x83: (10, 4),
             0x42: (7, 2), 0x48: (7, 2), 0x5F: (5, 4)}
ASKED_AT = {0x03: (4, 1), 0x12: (3, 2), 0x1A: (4, 1), 0x5A: (7, 2), 0xA0: (6, 4), 0xA3: (6, 4),
            0x1C: (3, 2), 0x3C: (6, 3), 0x4D: (7, 2), 0x5E: (7, 2), 0x9B: (10, 4), 0x84: (10, 4),
            0x37: (7, 2), 0x9E: (10, 4), 0xB7: (6, 4)}
