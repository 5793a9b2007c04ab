# SPDX-License-Identifier: BSD-3-Clause
"""far_blocks.py URL - commands that change or compare blocks, where 32 bits of bytes or of blocks
end: at 4 GiB, and at 2^31 and 2^32 blocks as far as the disk has them.  What is beside them stays,
and so do the places where an address that was cut short would point."""
import random
import sys

from libiscsi import *

GIB = 1 << 30
AROUND = 64                 # blocks before and after a border that are looked at


def cdb(opcode, lba, n, flags=0):
    """Of 16 bytes, or of 10 or 12 if the opcode says so and the address fits."""
    if opcode < 0x60:
        return bytes([opcode, flags]) + lba.to_bytes(4, "big") + b"\0" + n.to_bytes(2, "big") + b"\0"
    if opcode >= 0xA0:
        return bytes([opcode, flags]) + lba.to_bytes(4, "big") + n.to_bytes(4, "big") + b"\0\0"
    return bytes([opcode, flags]) + lba.to_bytes(8, "big") + n.to_bytes(4, "big") + b"\0\0"


class Border:
    """The blocks around one border, and what they hold."""

    def __init__(self, s, block, at, rnd, most, thin):
        self.s, self.block, self.first, self.rnd = s, block, at - AROUND, rnd
        self.most, self.thin = most, thin
        self.model = bytearray(rnd.randbytes(2 * AROUND * block))
        self.do(0x8A, self.first, 2 * AROUND, bytes(self.model))

    def do(self, opcode, lba, n, data=b"", flags=0):
        return self.s.ok(self.s.command(cdb(opcode, lba, n, flags), write=data))

    def part(self, lba, n):
        return slice((lba - self.first) * self.block, (lba - self.first + n) * self.block)

    def look(self):
        n = 2 * AROUND
        check(self.s.read(self.first, n, self.block) == self.model, "the blocks around", self.first)

    def commands(self, opcodes, lba, n):
        """Each kind in turn at @lba; @opcodes(10, 12, 16) picks the length of the CDB."""
        block, part, rnd = self.block, self.part(lba, n), self.rnd
        data = rnd.randbytes(n * block)
        self.do(opcodes(0x2E, 0xAE, 0x8E), lba, n, data, 2)     # WRITE AND VERIFY, BYTCHK
        self.model[part] = data
        self.look()
        more = rnd.randbytes(n * block)
        self.do(0x8B, lba, n, more)                             # ORWRITE
        data = bytes(a | b for a, b in zip(data, more))
        self.model[part] = data
        self.look()
        self.do(opcodes(0x2F, 0xAF, 0x8F), lba, n, data, 2)     # VERIFY, BYTCHK
        wrong = bytearray(data)
        wrong[-1] ^= 1
        a = self.s.command(cdb(opcodes(0x2F, 0xAF, 0x8F), lba, n, 2), write=bytes(wrong))
        check(a.is_sense(0xE, 0x1D00), "VERIFY of something else:", a)
        n_both = min(n, self.most)                              # COMPARE AND WRITE
        new = rnd.randbytes(n_both * block)
        self.s.ok(self.s.command(
            bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, n_both, 0, 0]),
            write=data[:len(new)] + new))
        self.model[part] = new + data[len(new):]
        self.look()
        one = rnd.randbytes(block)
        self.do(opcodes(0x41, 0x93, 0x93), lba, n, one)         # WRITE SAME
        self.model[part] = one * n
        self.look()
        self.do(opcodes(0x2F, 0xAF, 0x8F), lba, n, one, 6)      # VERIFY of a block again and again
        d = lba.to_bytes(8, "big") + n.to_bytes(4, "big") + bytes(4)
        a = self.s.command(bytes([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]),
                           write=bytes([0, 22, 0, 16, 0, 0, 0, 0]) + d)
        if self.thin:
            check(a.good, a)
            self.model[part] = bytes(n * block)
        else:
            check(a.is_sense(5, 0x2000), "UNMAP of a disk that is not thin:", a)
        self.look()


def main(url):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rnd = random.Random(seed)
    with Session(url) as s:
        s.ready()
        raw = s.ok(s.command(bytes([0x9E, 0x10]) + bytes(11) + bytes([32, 0, 0]), 32)).data
        blocks, block = int.from_bytes(raw[:8], "big") + 1, int.from_bytes(raw[8:12], "big")
        most = s.ok(s.command(inquiry(0xB0), 255)).data[5]
        check(most >= 1, "there is no COMPARE AND WRITE")
        places = [at for at in (4 * GIB // block, 1 << 31, 1 << 32, blocks - AROUND)
                  if at + AROUND <= blocks]
        check(places[:1] == [4 * GIB // block], "the disk is too small")
        # Where addresses would point that have lost their upper bits.
        borders = [Border(s, block, at, rnd, most, raw[14] & 0x80) for at in (AROUND, *places)]
        lengths = [lambda ten, twelve, sixteen: sixteen]
        for b in borders[1:]:
            at = b.first + AROUND
            for pick in lengths + ([lambda ten, twelve, sixteen: ten,
                                    lambda ten, twelve, sixteen: twelve] if at + 8 < 1 << 32 else []):
                for lba in (at - 8, at - 4, at):
                    b.commands(pick, lba, 8)
            for other in borders:
                other.look()
    print(len(places), "borders,", blocks, "blocks of", block, "COMPARE AND WRITE of", most,
          "thin" if raw[14] & 0x80 else "not thin")


main(sys.argv[1])
