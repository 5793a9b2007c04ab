#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The trace points of doc/probes.md are in the program, with as many arguments, and no
# others; what the documentation and scripts/bpf attach to exists.
. "$(dirname "$0")/../lib/common.sh"
need readelf

doc=$SRC/doc/probes.md
readelf -n "$TGTD" | awk '
	$1 == "Provider:" { probe = $2 }
	$1 == "Name:" { probe = probe ":" $2 }
	$1 == "Arguments:" { print probe, NF - 1 }' | sort -u >"$dir/program"
[ -s "$dir/program" ] || fail "there are no probes in $TGTD"
# | `layer:name` | when | arg, arg (note, note) |
# shellcheck disable=SC2016	# those are Markdown's
sed -n 's/^| `\([a-z]*:[a-z_]*\)` | .* | \(.*\) |$/\1|\2/p' "$doc" |
	sed 's/([^)]*)//g' | awk -F'|' '{ print $1, split($2, unused, ",") }' |
	sort -u >"$dir/doc"
diff "$dir/doc" "$dir/program" || fail "doc/probes.md (<) and the program (>) differ"

cut -d' ' -f1 "$dir/program" >"$dir/names"
grep -hoE 'usdt:[^: ]*:[a-z]+:[a-z_]+' -r "$SRC/doc" "$SRC/scripts/bpf" |
	sed 's/^usdt:[^:]*://' | sort -u >"$dir/used"
[ -s "$dir/used" ] || fail "nothing is documented"
unknown=$(grep -vxF -f "$dir/names" "$dir/used" || :)
[ -z "$unknown" ] || fail "nobody has these probes: $unknown"
unused=$(grep -vxF -f "$dir/used" "$dir/names" || :)
[ -z "$unused" ] || fail "doc/probes.md has no line for: $unused"
for script in "$SRC"/scripts/bpf/*.bt; do
	grep -qF "\`${script##*/}\`" "$doc" || fail "$script is not documented"
done
