# SPDX-License-Identifier: BSD-3-Clause
"""random_data.py URL COPY - overwrite pieces of a disk of 64 MiB and of its copy, a file, at blocks
and lengths that fit no larger unit, and read what is around them.  The copy has what the disk must."""
import random
import sys

from libiscsi import *

BLOCKS = (64 << 20) // 512


def main(url, path):
    rng = random.Random(1)
    with Session(url) as s, open(path, "r+b") as copy:
        s.ready()
        for _ in range(300):
            blocks = rng.choice([1, 3, 7, 8, 17, 127, 128, 129, 513, 2047, 16001])
            lba = rng.randrange(BLOCKS - blocks)
            data = rng.randbytes(512 * blocks)
            s.write(lba, data, fua=rng.random() < 0.2)
            copy.seek(512 * lba)
            copy.write(data)
            back = rng.randrange(max(0, lba - 9), lba + 1)
            n = min(blocks + 5, BLOCKS - back)
            got = s.read(back, n)
            copy.seek(512 * back)
            check(got == copy.read(512 * n), "read of", n, "blocks at", back)


main(*sys.argv[1:])
