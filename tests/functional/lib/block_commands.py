# SPDX-License-Identifier: BSD-3-Clause
"""block_commands.py URL BLOCK-BYTES MODEL: every command that changes or compares blocks,
at random, on a disk of zeroes, thin or not.  What must be on it at the end is left in the
file MODEL.
"""
import random
import sys

from libiscsi import *

block = int(sys.argv[2])
seed = random.randrange(1 << 32)
print("seed", seed)
rnd = random.Random(seed)
s = Session(sys.argv[1]).ready()
limits = s.ok(s.command(inquiry(0xB0), 255)).data
capacity = s.ok(s.command(bytes([0x9E, 0x10]) + bytes(11) + bytes([32, 0, 0]), 32)).data
blocks = int.from_bytes(capacity[:8], "big") + 1
is_thin = capacity[14] & 0x80
UNMAP = (0, 8) if is_thin else (0,)
model = bytearray(blocks * block)

def rw(opcode, lba, n, flags=0):
    """A CDB of the length that the opcode's group has."""
    if opcode < 0x60:
        return bytes([opcode, flags]) + lba.to_bytes(4, "big") + b"\0" + n.to_bytes(2, "big") + b"\0"
    if opcode < 0xA0:
        return bytes([opcode, flags]) + lba.to_bytes(8, "big") + n.to_bytes(4, "big") + b"\0\0"
    return bytes([opcode, flags]) + lba.to_bytes(4, "big") + n.to_bytes(4, "big") + b"\0\0"

def at(lba, n):
    return slice(lba * block, (lba + n) * block)

def write(lba, n):
    data = rnd.randbytes(n * block)
    opcode = rnd.choice((0x2A, 0x8A, 0xAA, 0x2E, 0x8E, 0xAE))   # WRITE, WRITE AND VERIFY
    flags = rnd.choice((0, 2)) if opcode & 0xF == 0xE else rnd.choice((0, 8, 0x10))
    s.ok(s.command(rw(opcode, lba, n, flags), write=data))
    model[at(lba, n)] = data

def orwrite(lba, n):
    data = rnd.randbytes(n * block)
    s.ok(s.command(rw(0x8B, lba, n), write=data))
    old = int.from_bytes(model[at(lba, n)], "big")
    model[at(lba, n)] = (old | int.from_bytes(data, "big")).to_bytes(n * block, "big")

def write_same(lba, n):
    data = rnd.choice((bytes(block), rnd.randbytes(block)))
    s.ok(s.command(rw(rnd.choice((0x41, 0x93)), lba, n, rnd.choice(UNMAP)), write=data))
    model[at(lba, n)] = data * n

def no_data(lba, n):
    s.ok(s.command(rw(0x93, lba, n, 1 | rnd.choice(UNMAP))))
    model[at(lba, n)] = bytes(n * block)

def unmap(lba, n):
    d = lba.to_bytes(8, "big") + n.to_bytes(4, "big") + bytes(4)
    a = s.command(bytes([0x42]) + bytes(6) + bytes([0, 24, 0]), write=bytes([0, 22, 0, 16]) + bytes(4) + d)
    if not is_thin:
        check(a.is_sense(5, 0x2000), a)
        return
    s.ok(a)
    model[at(lba, n)] = bytes(n * block)

def compare_and_write(lba, n):
    n = min(n, limits[5])
    if not n:       # not offered
        n = 1
        a = s.command(bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, n, 0, 0]),
                      write=bytes(2 * block))
        check(a.is_sense(5, 0x2400), a)
        return
    cdb = bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, n, 0, 0])
    old, new = bytearray(model[at(lba, n)]), rnd.randbytes(n * block)
    wrong = rnd.choice((True, False))
    if wrong:
        old[rnd.randrange(n * block)] ^= 1 << rnd.randrange(8)
    a = s.command(cdb, write=bytes(old) + new)
    check(a.is_sense(0xE, 0x1D00) if wrong else a.good, a)
    if not wrong:
        model[at(lba, n)] = new

def verify(lba, n):
    data = bytearray(model[at(lba, n)])
    wrong = rnd.choice((True, False))
    if wrong:
        data[rnd.randrange(n * block)] ^= 1 << rnd.randrange(8)
    a = s.command(rw(rnd.choice((0x2F, 0x8F, 0xAF)), lba, n, 2), write=bytes(data))
    check(a.is_sense(0xE, 0x1D00) if wrong else a.good, a)
    s.ok(s.command(rw(0x2F, lba, n)))

def verify_same(lba, n):
    data = rnd.randbytes(block)
    s.ok(s.command(rw(0x93, lba, n), write=data))
    model[at(lba, n)] = data * n
    s.ok(s.command(rw(0x8F, lba, n, 6), write=data))
    last = lba + n - 1
    model[last * block + 5] ^= 0x10
    s.write(last, bytes(model[at(last, 1)]), block_bytes=block)
    a = s.command(rw(0x8F, lba, n, 6), write=data)
    check(a.is_sense(0xE, 0x1D00), a)

def prefetch(lba, n):
    a = s.command(rw(rnd.choice((0x34, 0x90)), lba, n, rnd.choice((0, 2))))
    check(a.status in (0, 4), a)

def read(lba, n):
    check(s.read(lba, n, block) == model[at(lba, n)], "read", lba, n)

ops = (write, write, orwrite, write_same, no_data, unmap, compare_and_write, verify,
       verify_same, prefetch, read)
for _ in range(400):
    n = rnd.choice((1, 2, 8, rnd.randrange(1, (1 << 20) // block)))
    lba = rnd.choice((0, blocks - n, rnd.randrange(blocks - n)))
    rnd.choice(ops)(lba, n)
for lba in range(0, blocks, (1 << 20) // block):
    n = (1 << 20) // block
    check(s.read(lba, n, block) == model[at(lba, n)], "at the end", lba)
s.sync()
s.close()
with open(sys.argv[3], "wb") as f:
    f.write(model)
