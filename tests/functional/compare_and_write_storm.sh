#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Sixteen initiators count by COMPARE AND WRITE in the same block, others write
# beside it and set bits by ORWRITE, some are killed, one alone or many at once, and come
# back: no count, no write and no bit is lost.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"

COUNTERS=16
ROUNDS=8			# of killing
TOTAL=1000

tgtd_start --iscsi portal=127.0.0.1:0 --reactors 4
target_new
lun_new "$tid" 1 "$(disk_file 16M)"
acl_bind "$tid" ALL

RANDOM=${SEED:-$RANDOM}
note "SEED=$RANDOM"

# Block 0: the total and what each counter has added, 8 bytes each.  Block 1: the
# writer's.  Block 2: a bit for each ORWRITE.
cat >"$dir/counter.py" <<'END'
import random, struct, sys
from libiscsi import *

def compare_and_write(lba, blocks):
    return bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, blocks, 0, 0])

url, me, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = Session(url, f"iqn.2001-04.org.example:counter{me}").ready()
mine = 0
while True:
    blocks = random.choice((1, 2))          # with the writer's block, or without
    old = s.read(0, blocks)
    n = list(struct.unpack("<64Q", old[:512]))
    if n[0] >= total:
        break
    n[0] += 1
    n[1 + me] += 1
    a = s.command(compare_and_write(0, blocks),
                  write=old + struct.pack("<64Q", *n) + old[512:])
    if a.good:
        mine += 1
        print(mine, flush=True)
    else:
        check(a.is_sense(0xe, 0x1d00), a)
s.close()
END
cat >"$dir/writer.py" <<'END'
import struct, sys
from libiscsi import *

def orwrite(lba, blocks):
    return bytes([0x8B, 0]) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(2)

url, total = sys.argv[1], int(sys.argv[2])
s = Session(url, "iqn.2001-04.org.example:writer").ready()
n = 0
while struct.unpack("<Q", s.read(0, 1)[:8])[0] < total:
    n += 1
    s.write(1, n.to_bytes(8, "little") * 64)
    check(s.read(1, 1) == n.to_bytes(8, "little") * 64, "write", n, "is lost")
    # A bit in block 2, and all of block 1 as it is.
    bits = bytearray(1024)
    bits[512 + n // 8 % 512] = 1 << n % 8
    s.ok(s.command(orwrite(1, 2), write=bytes(bits)))
    check(s.read(1, 1) == n.to_bytes(8, "little") * 64, "ORWRITE", n, "has changed a block")
got = s.read(2, 1)
for i in range(1, min(n, 4095) + 1):
    check(got[i // 8 % 512] >> i % 8 & 1, "bit", i, "is lost")
check(n > 0)
s.close()
END

pids=() kills=()
# start COUNTER
start()
{
	python3 "$dir/counter.py" "$(url 1)" "$1" "$TOTAL" >>"$dir/count.$1" &
	pids[$1]=$!
}
for ((i = 0; i < COUNTERS; i++)); do
	kills[i]=0
	start "$i"
done
python3 "$dir/writer.py" "$(url 1)" "$TOTAL" &
writer=$!

reached()
{
	[ "$(cat "$dir"/count.* | wc -l)" -ge "$1" ]
}
# The pattern: each with a probability that is another one in each round, all of them in
# the last but one; those of the last round do not come back.
for ((round = 1; round <= ROUNDS; round++)); do
	wait_for 200 reached $((TOTAL * round / (ROUNDS + 2))) || fail "they do not count"
	share=$((RANDOM % 100))
	[ "$round" -ne $((ROUNDS - 1)) ] || share=100
	victims=()
	for ((i = 0; i < COUNTERS; i++)); do
		[ $((RANDOM % 100)) -ge "$share" ] || victims+=("$i")
	done
	# The last one to be there counts on.
	[ "$round" -ne "$ROUNDS" ] || victims=("${victims[@]:0:COUNTERS - 1}")
	for i in "${victims[@]}"; do
		kill -KILL "${pids[i]}"
	done
	for i in "${victims[@]}"; do
		wait "${pids[i]}" 2>/dev/null || :
		kills[i]=$((kills[i] + 1))
		unset "pids[$i]"
		[ "$round" -eq "$ROUNDS" ] || start "$i"
	done
	note "killed at once: ${#victims[@]}"
done
for i in "${!pids[@]}"; do
	wait "${pids[i]}" || fail "counter $i"
done
wait "$writer" || fail "the writer"

python "$(url 1)" "$dir" "$TOTAL" "${kills[@]}" <<'END'
import struct
directory, total, *kills = sys.argv[2], *map(int, sys.argv[3:])
with Session(sys.argv[1]) as s:
    n = struct.unpack("<64Q", s.ready().read(0, 1))
check(n[0] == total, "total", n[0])
check(sum(n[1:]) == total, "sum", sum(n[1:]))
for i, killed in enumerate(kills):
    with open(f"{directory}/count.{i}") as f:
        told = sum(1 for line in f if line.endswith("\n"))
    # Who was killed may have had no time to tell of the last.
    check(0 <= n[1 + i] - told <= killed, i, n[1 + i], told, killed)
END
