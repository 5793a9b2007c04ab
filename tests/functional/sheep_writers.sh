#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 64 writers at once on an object that is not there yet, by sessions on several
# reactors: it is made once, and holds what all have written.  The same where it is
# copied from a snapshot, and where the writers cross borders of objects.  Of those
# that write the same blocks one wins, on all replicas: they are never in flight
# together.  Then reads across objects that are there and that are not.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"

sheep_start --reorder 64
sheep_vdi base 64M --shift 22
head -c 64M /dev/urandom >"$dir/random"
# Objects 0 to 3, 8 and 10 are there.
truncate -s 64M "$dir/base"
for i in 0 1 2 3 8 10; do
	dd if="$dir/random" of="$dir/base" bs=4M skip=$i seek=$i count=1 conv=notrunc status=none
	dd if="$dir/random" bs=4M skip=$i count=1 status=none | sheep write "$vdi" $((4 * i))M
done
sheep snapshot "$vdi" origin >/dev/null
sheep clone "$vdi:origin" "$vdi-clone" >/dev/null
tgtd_start --reactors 3
sheep_lun "$vdi-clone"
cp "$dir/base" "$dir/model"

[ -n "${SHEEP:-}" ] || before=$(sheep_control stat | sed -n 's/^create //p')
python "$(url 1)" "$dir/model" <<'END'
import random
url, path = sys.argv[1:]
OBJECT, WRITERS = 4 << 20, 64
rng = random.Random(64)
model = open(path, "r+b")
sessions = [Session(url) for _ in range(6)]
for s in sessions:
    s.ready()

def at_once(pieces):
    """(offset, data) each, all in flight together."""
    pending = []
    for i, (off, data) in enumerate(pieces):
        s = sessions[i % len(sessions)]
        pending.append(s.submit(write16(off // 512, len(data) // 512), write=data))
        model.seek(off)
        model.write(data)
    for p in pending:
        check(p.wait(60).good, "a write:", p.answer)

# 5, 6: nothing there; 1, 2: a snapshot's.  All of it, and only parts.
for index in 5, 1:
    piece = OBJECT // WRITERS
    order = list(range(WRITERS))
    rng.shuffle(order)
    at_once((index * OBJECT + i * piece, rng.randbytes(piece)) for i in order)
for index in 6, 2:
    at_once((index * OBJECT + i * 65536 + 512 * rng.randrange(64), rng.randbytes(512 * 17))
            for i in range(WRITERS))
# Across borders, from what is not there into what is, and back.
for border in 8, 9, 10, 11, 13, 14:
    at_once([(border * OBJECT - 1536, rng.randbytes(4096))] +
            [(border * OBJECT + 4096 + 8192 * i, rng.randbytes(512 * rng.randrange(1, 16)))
             for i in range(32)] +
            [(border * OBJECT - 8192 * (i + 2), rng.randbytes(512 * rng.randrange(1, 16)))
             for i in range(31)])

# The same blocks, of an object that is there and of one that is not.
for index in 5, 15:
    pending = [s.submit(write16((index * OBJECT + 8192) // 512, 128), write=bytes([i + 1]) * 65536)
               for i, s in enumerate(sessions * 4)]
    for p in pending:
        check(p.wait(60).good, "a write:", p.answer)
    got = sessions[0].read((index * OBJECT + 8192) // 512, 128)
    check(len(set(got)) == 1 and got[0], "writes are mixed")
    model.seek(index * OBJECT + 8192)
    model.write(got)

model.flush()
with open(path, "rb") as f:
    wanted = f.read()
for s in sessions:
    for _ in range(30):
        n = 512 * rng.choice((1, 7, 64, 1000, 2048))
        off = max(0, min(rng.randrange(16) * OBJECT - 512 * rng.randrange(n // 512 + 1),
                         len(wanted) - n))
        check(s.read(off // 512, n // 512) == wanted[off:off + n], "read of", n, "at", off)
# Over the whole of three objects of which one is there.
for first in 0, 3, 7, 11:
    n = 9 << 20
    off = first * OBJECT + (3 << 20)
    parts = [sessions[0].submit(read16((off + at) // 512, 2048), read=1 << 20)
             for at in range(0, n, 1 << 20)]
    got = b"".join(p.wait(60).data for p in parts)
    check(got == wanted[off:off + n], "read of 9 MiB at", off)
for s in sessions:
    s.close()
END
if [ -z "${SHEEP:-}" ]; then
	# 1, 2, 5, 6, 15 and what the borders touch: 7 to 14.
	after=$(sheep_control stat | sed -n 's/^create //p')
	expect 'objects that were made' 13 $((after - before))
fi
sheep compare "$vdi-clone" "$dir/model"
sheep compare "$vdi:origin" "$dir/base"
qemu-img compare -f raw -F raw "$dir/model" "$(url 1)"
