#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm --json prints one JSON value for each show and stat.
. "$(dirname "$0")/lib/initiators.sh"
need python3

disk 8M
session_open s "$(url 1)"
sid=$(show conn --tid "$tid" | sed -n 's/^Session: //p')
for call in "target --op show" "target --op show --tid $tid" "system --op show" "portal --op show" \
	"account --op show" "lld --op show" "conn --op show --tid $tid" "sys --op stat" \
	"target --op stat --tid $tid" "lu --op stat --tid $tid --lun 1" \
	"sess --op stat --tid $tid --sid $sid" "conn --op stat --tid $tid --sid $sid --cid 0"; do
	# shellcheck disable=SC2086	# words
	"$TGTADM" --json --mode $call >"$dir/json" || fail "--mode $call: it fails"
	python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
sys.exit(0 if v or isinstance(v, (list, dict)) else "empty")' "$dir/json" ||
		fail "--mode $call: $(cat "$dir/json")"
done
"$TGTADM" --json --mode target --op show | grep -qF "\"$iqn\"" || fail "the target's name is not there"
session_close s
if "$TGTADM" --json --mode target --op show --tid 99 >"$dir/json" 2>"$dir/err"; then
	fail "an absent target is shown"
fi
