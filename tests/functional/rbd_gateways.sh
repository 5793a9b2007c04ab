#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two gateways serve one image: COMPARE AND WRITE counts and ORWRITE sets bits without a
# loss through both at once, and each reads what the other has written; with and without
# the image's lock.
# timeout: 300
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"
. "$(dirname "$0")/lib/gateways.sh"

COUNTERS=8
ceph_start
ceph_stores
rbd create --size 64M locked
rbd create --size 64M free --image-feature layering

# Block 0: the total and what each counter has added, 8 bytes each.  Blocks 1 and 2: a bit
# for each step of each counter, 128 bytes each.  Behind it, blocks of each counter, written through one gateway and read through the other.
cat >"$dir/counter.py" <<'END'
import struct, sys
from libiscsi import *

def compare_and_write(lba, old, new):
    return s.command(bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, 1, 0, 0]),
                     write=old + new)

def set_bit(n):
    """Bit n of this counter."""
    bits = bytearray(1024)
    bits[128 * me + n // 8] = 1 << n % 8
    s.ok(s.command(bytes([0x8B, 0]) + (1).to_bytes(8, "big") + bytes([0, 0, 0, 2, 0, 0]),
                   write=bytes(bits)))

url, other, me, total = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
s = Session(url, f"iqn.2001-04.org.example:counter{me}").ready()
o = Session(other, f"iqn.2001-04.org.example:reader{me}").ready()
mine = 0
while True:
    old = s.read(0, 1)
    n = list(struct.unpack("<64Q", old))
    if n[0] >= total:
        break
    n[0] += 1
    n[1 + me] += 1
    a = compare_and_write(0, old, struct.pack("<64Q", *n))
    if not a.good:
        check(a.is_sense(0xe, 0x1d00), a)
        continue
    set_bit(mine)
    mine += 1
    if mine % 8 == 0:
        block = mine.to_bytes(8, "little") * 512
        s.write(64 + 8 * me, block)
        check(o.read(64 + 8 * me, 8) == block, "the other gateway has not seen write", mine)
print(mine)
END

# storm IMAGE TOTAL BSOPTS
storm()
{
	local urls=() pids=() i

	note "$1, $3"
	for g in a b; do
		gateway "$g"
		target_new
		lun_new "$tid" 1 "$1" --bsopts "$ceph_opts;$3"
		acl_bind "$tid" ALL
		urls+=("$(url 1)")
	done
	for ((i = 0; i < COUNTERS; i++)); do
		python3 "$dir/counter.py" "${urls[i % 2]}" "${urls[1 - i % 2]}" "$i" "$2" \
			>"$dir/count.$i" &
		pids+=($!)
	done
	for ((i = 0; i < COUNTERS; i++)); do
		wait "${pids[i]}" || fail "counter $i: $(cat "$dir/count.$i")"
	done
	python "${urls[1]}" "$dir" "$COUNTERS" "$2" <<'END'
import struct
directory, counters, total = sys.argv[2], *map(int, sys.argv[3:])
with Session(sys.argv[1]) as s:
    n = struct.unpack("<64Q", s.ready().read(0, 1))
    bits = s.read(1, 2)
check(n[0] == total, "total", n[0])
told = [int(open(f"{directory}/count.{i}").read()) for i in range(counters)]
check(list(n[1:1 + counters]) == told, n, told)
check(sum(told) == total)
for i in range(counters):
    set_ = int.from_bytes(bits[128 * i:128 * (i + 1)], "little")
    check(set_ == (1 << told[i]) - 1, "bits of counter", i, "are lost:", hex(set_))
check(sum(told[::2]) and sum(told[1::2]), "one gateway has done nothing", told)
END
}

storm free 600 lock=none
# The lock goes from one gateway to the other, which takes its time.
storm locked 60 lock=shared
