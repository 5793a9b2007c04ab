#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Random data of odd sizes at odd places, many requests in flight, verified
# against a local copy.
# timeout: 240
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-img

disk 64M
head -c 64M /dev/urandom >"$dir/random"
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/random" "$(url 1)"
cmp "$dir/random" "$dir"/disk.*

# Overwrite pieces in both, at blocks and lengths that fit no larger unit.
python "$(url 1)" "$dir/random" <<'END'
import random
rng = random.Random(1)
copy = open(sys.argv[2], "r+b")
with Session(sys.argv[1]) as s:
    s.ready()
    for _ in range(300):
        blocks = rng.choice([1, 3, 7, 8, 17, 127, 128, 129, 513, 2047])
        lba = rng.randrange(131072 - blocks)
        data = rng.randbytes(512 * blocks)
        s.write(lba, data, fua=rng.random() < 0.2)
        copy.seek(512 * lba)
        copy.write(data)
        back = rng.randrange(max(0, lba - 9), lba + 1)
        n = min(blocks + 5, 131072 - back)
        got = s.read(back, n)
        copy.seek(512 * back)
        check(got == copy.read(512 * n), "read of", n, "blocks at", back)
END
qemu-img compare -f raw -F raw "$dir/random" "$(url 1)"
