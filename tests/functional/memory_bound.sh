#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# At the bound of --memory initiators wait and nothing fails; the daemon does not grow
# beyond it.
# timeout: 240
# alone
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

tgtd_start --memory 64M
disk 256M
pids=()
for i in 1 2 3 4 5 6 7 8; do
	commands=()
	for n in $(seq 0 15); do
		commands+=(-c "aio_write -q -P $i $((n * 2 + (i - 1) * 32))M 2M")
	done
	qemu-io -f raw "${commands[@]}" -c aio_flush "$(url 1)" >"$dir/io.$i" 2>&1 &
	pids+=($!)
done
for p in "${pids[@]}"; do
	wait "$p" || fail "an initiator failed: $(cat "$dir"/io.*)"
done
pids=()
for i in 1 2 3 4 5 6 7 8; do
	commands=()
	for n in $(seq 0 15); do
		commands+=(-c "aio_read -q -P $i $((n * 2 + (i - 1) * 32))M 2M")
	done
	qemu-io -f raw "${commands[@]}" -c aio_flush "$(url 1)" >"$dir/io.$i" 2>&1 &
	pids+=($!)
done
for p in "${pids[@]}"; do
	wait "$p" || fail "an initiator failed: $(cat "$dir"/io.*)"
done
! grep -l . "$dir"/io.* || fail "$(cat "$dir"/io.*)"
if [ -z "${SAN:-}" ]; then
	peak_kb=$(awk '/^VmHWM/{print $2}' "/proc/$tgtd_pid/status")
	[ "$peak_kb" -lt $(((64 + 32) << 10)) ] || fail "tgtd had $peak_kb KiB of memory"
fi
