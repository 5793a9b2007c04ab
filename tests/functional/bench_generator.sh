#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark's load generator checks data where it shall, and what it does not look at
# in a timed run still is what was asked for.
. "$(dirname "$0")/../lib/common.sh"

load=$BUILD/bench/iscsi_load

# generate OPTION... - sets $out, the line of JSON.
generate()
{
	out=$("$load" --portal "$portal" --target "$iqn" --json --time 0.2 --warmup 0 "$@" \
		2>"$dir/err") || fail "iscsi_load $*: $(cat "$dir/err")"
	[ "$(field errors)" -eq 0 ] || fail "iscsi_load $*: $out"
}

field()
{
	python3 -c 'import json, sys; print(json.loads(sys.argv[1])[sys.argv[2]])' "$out" "$1"
}

tgtd_start --reactors 1
target_new
for lun in 1 2 3; do
	truncate -s 16M "$dir/lun$lun"
	lun_new "$tid" "$lun" "$dir/lun$lun"
done
acl_bind "$tid" ALL

note "data are checked"
generate --verify --read 50
generate --verify --read 50 --block 64k --depth 4 --header-digest --data-digest
generate --verify --fill-only
printf X | dd of="$dir/lun1" bs=1 seek=10000001 conv=notrunc status=none
code=0
"$load" --portal "$portal" --target "$iqn" --verify --filled --time 0.1 >/dev/null 2>"$dir/err" ||
	code=$?
expect "exit code after wrong data" 3 "$code"
grep -q 'wrong data at byte 10000000:' "$dir/err" || fail "$(cat "$dir/err")"

note "large reads that the kernel drops, with digests and without, and writes of constant data"
for digests in '' '--header-digest --data-digest'; do
	# shellcheck disable=SC2086  # words
	for block in 16k 64k 1m; do
		generate --block $block --depth 4 --read 70 $digests
		[ "$(field ops)" -gt 0 ] || fail "nothing was done: $out"
		[ "$(field reads)" -gt 0 ] || fail "nothing was read: $out"
	done
done
generate --conns 40 --depth 4 --block 32k

note "each of several LUNs in turn"
generate --luns 3 --each-lun --conns 2 --depth 2 --read 0 --region 1m
for lun in 2 3; do
	! cmp -s -n 1048576 "$dir/lun$lun" /dev/zero || fail "LUN $lun was not asked"
done

note "the floor reads and writes"
truncate -s 1M "$dir/floor"
"$BUILD/bench/floor" "$dir/floor" >"$dir/floor.log" &
floor_pid=$!
floor_ready() { grep -q '^port ' "$dir/floor.log"; }
wait_for 10 floor_ready || fail "the floor did not start"
portal=127.0.0.1:$(awk '{ print $2 }' "$dir/floor.log")
generate --floor --region 1m --conns 3
cmp -s -n 1048576 "$dir/floor" /dev/zero || fail "reading from the floor changed its file"
generate --floor --region 1m --conns 3 --read 30
generate --floor --region 1m --seq --read 0
blocks=$(python3 -c '
import sys
data = open(sys.argv[1], "rb").read()
print(len({data[i:i + 4096] for i in range(0, len(data), 4096)}), len(data))' "$dir/floor")
expect "different blocks, bytes" "1 1048576" "$blocks"
! cmp -s -n 1048576 "$dir/floor" /dev/zero || fail "writing to the floor changed nothing"
kill "$floor_pid"
