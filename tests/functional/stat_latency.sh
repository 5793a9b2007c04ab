#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm --op stat --json: durations by kind of operation; without --json nothing moves.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

disk 8M --params thin_provisioning=1
lun_new "$tid" 2 "$(disk_file 8M)"
session_open s "$(url 1)"
sid=$(show conn --tid "$tid" | sed -n 's/^Session: //p')
for i in 1 2 3 4 5; do
	tells s good write $((i * 16)) 16 1
done
tells s 'good 1' read 16 16
session_close s			# durations outlive the session
io "$(url 1)" 'discard 1M 1M' 'flush'

session_open s "$(url 1)"
for level in "sys" "target --tid $tid" "lu --tid $tid --lun 1"; do
	# shellcheck disable=SC2086	# words
	"$TGTADM" --json --op stat --mode $level >"$dir/json"
	python3 - "$dir/json" "$tid" <<'END' || fail "$level: $(cat "$dir/json")"
import json, sys
rows = {(r["tid"], r["lun"]): r for r in json.load(open(sys.argv[1]))["latency"]}
r = rows[int(sys.argv[2]), 1]
assert r["write"]["count"] == 5 and r["read"]["count"] >= 1, r
assert r["flush"]["count"] >= 1 and r["unmap"]["count"] >= 1, r
for kind in "read", "write", "flush", "unmap":
    v = r[kind]
    assert v["p50_ns"] <= v["p90_ns"] <= v["p99_ns"] <= v["p999_ns"] <= v["max_ns"], v
    assert 0 < v["mean_ns"] <= v["max_ns"] < 60e9, v
if (int(sys.argv[2]), 2) in rows:
    assert set(rows[int(sys.argv[2]), 2]) == {"tid", "lun"}, rows
END
done
sid=$(show conn --tid "$tid" | sed -n 's/^Session: //p')
"$TGTADM" --json --op stat --mode sess --tid "$tid" --sid "$sid" >"$dir/json"
! grep -q latency "$dir/json" || fail "durations of a session: $(cat "$dir/json")"
out=$("$TGTADM" --op stat --mode lu --tid "$tid" --lun 1)
expect "lines without --json" 2 "$(wc -l <<<"$out")"
session_close s
