#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Run the tests that have the tag "stores:" with the stores that BSTYPE and
# BSOFLAGS name (see lun_new), for the wrappers stores_*.sh.  Last line: the sum.
set -euo pipefail

lanes=4			# they wait most of the time
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$(mktemp -d "${TMPDIR:-/tmp}/tgtd-stores.XXXXXX")
trap 'rm -rf "$logs"' EXIT

# Is there this kind of store here?  The reason why not is the last line.
probe()
(
	# shellcheck source=../../lib/common.sh
	. "$here/../lib/common.sh"
	tgtd_start
	target_new
	lun_new "$tid" 1 "$(disk_file 16M)" 2>"$dir/err" || {
		grep -qE 'use bstype|no direct I/O|needs a block size' "$dir/err" ||
			fail "$(cat "$dir/err")"
		skip "$(tail -n 1 "$dir/err")"
	}
)

one()
{
	local code=0

	"$here/$1" >"$logs/$1" 2>&1 || code=$?
	echo "$code" >"$logs/$1.code"
}

code=0
probe || code=$?
[ "$code" -eq 0 ] || exit "$code"

mapfile -t tests < <(cd "$here" && grep -l '^# stores: ' ./*.sh | sed 's|^\./||')
[ "${#tests[@]}" -gt 0 ] || { echo 'no test has the tag'; exit 1; }
for t in "${tests[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$lanes" ]; do
		wait -n || :
	done
	one "$t" &
done
wait

passed=0 failed=0 skipped=0
for t in "${tests[@]}"; do
	case $(cat "$logs/$t.code") in
	0)
		passed=$((passed + 1))
		;;
	77)
		skipped=$((skipped + 1))
		echo "-- $t: skipped: $(tail -n 1 "$logs/$t")"
		;;
	*)
		failed=$((failed + 1))
		echo "-- $t over $BSTYPE ${BSOFLAGS:-}:"
		cat "$logs/$t"
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
