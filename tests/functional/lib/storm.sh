# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests, after initiators.sh: sixteen initiators count by COMPARE AND
# WRITE in the same block, others write beside it and set bits by ORWRITE, some are killed,
# one alone or many at once, and come back; or the daemon is.  No count, no write and no
# bit is lost.
#
#	storm TOTAL [SERVE]	counts to TOTAL on LUN 1.  SERVE is a function that starts
#				the daemon with that LUN anew: it is killed, once

# shellcheck disable=SC2154 # of common.sh

COUNTERS=16
ROUNDS=8			# of killing
STORM_SECONDS=200		# until a round's share is counted

# Block 0: the total and what each counter has added, 8 bytes each.  Block 1: the
# writer's.  Block 2: a bit for each ORWRITE.
cat >"$dir/counter.py" <<'END'
import random, struct, sys
from libiscsi import *

def compare_and_write(lba, blocks):
    return bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, blocks, 0, 0])

url, me, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = Session(url, f"iqn.2001-04.org.example:counter{me}").ready()
most = s.ok(s.command(inquiry(0xB0), 255)).data[5]
mine = 0
while True:
    blocks = random.randint(1, min(most, 2))    # with the writer's block, or without
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
n, counted = 0, 0
while counted < total or not n:
    n += 1
    s.write(1, n.to_bytes(8, "little") * 64)
    check(s.read(1, 1) == n.to_bytes(8, "little") * 64, "write", n, "is lost")
    # A bit in block 2, and all of block 1 as it is.
    bits = bytearray(1024)
    bits[512 + n // 8 % 512] = 1 << n % 8
    s.ok(s.command(orwrite(1, 2), write=bytes(bits)))
    check(s.read(1, 1) == n.to_bytes(8, "little") * 64, "ORWRITE", n, "has changed a block")
    counted = struct.unpack("<Q", s.read(0, 1)[:8])[0]
got = s.read(2, 1)
for i in range(1, min(n, 4095) + 1):
    check(got[i // 8 % 512] >> i % 8 & 1, "bit", i, "is lost")
s.close()
END

pids=() kills=() writer='' storm_total=''

storm_counter()
{
	python3 "$dir/counter.py" "$(url 1)" "$1" "$storm_total" >>"$dir/count.$1" &
	pids[$1]=$!
}

storm_writer()
{
	python3 "$dir/writer.py" "$(url 1)" "$storm_total" &
	writer=$!
}

storm_reached()
{
	[ "$(cat "$dir"/count.* | wc -l)" -ge "$1" ]
}

# storm_killed PID - was it?  It may have come to the end of the count before.
storm_killed()
{
	local code=0

	wait "$1" 2>/dev/null || code=$?
	[[ $code = 0 || $code = 137 ]] || fail "an initiator ended with $code"
	[ "$code" -ne 0 ]
}

# storm_kill COUNTER...
storm_kill()
{
	local i

	for i; do
		kill -KILL "${pids[i]}" 2>/dev/null || :
	done
	for i; do
		! storm_killed "${pids[i]}" || kills[i]=$((kills[i] + 1))
		unset "pids[$i]"
	done
	note "killed at once: $#"
}

# The pattern: each with a probability that is another one in each round, all of them in
# the last but one; those of the last round do not come back.
storm_round()
{
	local i share=$((RANDOM % 100)) victims=()

	[ "$1" -ne $((ROUNDS - 1)) ] || share=100
	for ((i = 0; i < COUNTERS; i++)); do
		[ $((RANDOM % 100)) -ge "$share" ] || victims+=("$i")
	done
	# The last one to be there counts on.
	[ "$1" -ne "$ROUNDS" ] || victims=("${victims[@]:0:COUNTERS - 1}")
	storm_kill "${victims[@]}"
	[ "$1" -ne "$ROUNDS" ] || return 0
	for i in "${victims[@]}"; do
		storm_counter "$i"
	done
}

# storm_daemon SERVE
storm_daemon()
{
	local i

	note 'the daemon is killed'
	kill -STOP "$writer" "${pids[@]}" 2>/dev/null || :	# not to complain
	tgtd_kill
	kill -KILL "$writer" 2>/dev/null || :
	storm_killed "$writer" || :
	storm_kill "${!pids[@]}"
	"$1"
	storm_writer
	for ((i = 0; i < COUNTERS; i++)); do
		storm_counter "$i"
	done
}

# storm TOTAL [SERVE]
storm()
{
	local i round

	storm_total=$1
	RANDOM=${SEED:-$RANDOM}
	note "SEED=$RANDOM"
	for ((i = 0; i < COUNTERS; i++)); do
		kills[i]=0
		storm_counter "$i"
	done
	storm_writer
	for ((round = 1; round <= ROUNDS; round++)); do
		wait_for "$STORM_SECONDS" storm_reached $((storm_total * round / (ROUNDS + 2))) ||
			fail "they do not count"
		if [ "$round" -eq $((ROUNDS / 2)) ] && [ $# -gt 1 ]; then
			storm_daemon "$2"
		else
			storm_round "$round"
		fi
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || fail "counter $i"
	done
	wait "$writer" || fail "the writer"
	storm_sum
}

# Who was killed may have had no time to tell of the last.
storm_sum()
{
	python "$(url 1)" "$dir" "$storm_total" "${kills[@]}" <<'END'
import struct
directory, total, *kills = sys.argv[2], *map(int, sys.argv[3:])
with Session(sys.argv[1]) as s:
    n = struct.unpack("<64Q", s.ready().read(0, 1))
check(n[0] == total, "total", n[0])
check(sum(n[1:]) == total, "sum", sum(n[1:]))
for i, killed in enumerate(kills):
    with open(f"{directory}/count.{i}") as f:
        told = sum(1 for line in f if line.endswith("\n"))
    check(0 <= n[1 + i] - told <= killed, i, n[1 + i], told, killed)
END
}
