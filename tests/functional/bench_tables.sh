#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark's statistics, thresholds, tables and pictures are right.
. "$(dirname "$0")/../lib/common.sh"

export PYTHONDONTWRITEBYTECODE=1
python3 "$SRC/tests/bench/test_bench.py" >"$dir/out" 2>&1 || fail "$(cat "$dir/out")"
"$SRC/tests/bench/run" --list >"$dir/list"
for name in read-4k-qd32 matrix-mix-64k-c64-qd32 memory direct-uring; do
	grep -q "^$name " "$dir/list" || fail "--list does not name $name"
done
code=0
"$SRC/tests/bench/run" --bogus >"$dir/out" 2>&1 || code=$?
expect "exit code after a wrong option" 2 "$code"
