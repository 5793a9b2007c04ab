#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Many requests in flight for a while, from several initiators, on one LUN: no error.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-perf

disk 64M
pids=()
for i in 1 2 3; do
	iscsi-perf -m 64 -b $((i * 8)) -t 3 -r "$(url 1)" >"$dir/perf.$i" 2>&1 &
	pids+=($!)
done
for i in 1 2 3; do
	wait "${pids[i - 1]}" || fail "$(cat "$dir/perf.$i")"
	grep -q '^finished' "$dir/perf.$i" || fail "$(cat "$dir/perf.$i")"
	! grep -qiE 'error|fail|reconnect' "$dir/perf.$i" || fail "$(cat "$dir/perf.$i")"
done
