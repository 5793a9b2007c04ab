#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtimg with VDIs: made, shown, enlarged, snapped, cloned, listed and removed; what
# cannot be done ends with 22 and one sentence.
# timeout: 120
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/sheep.sh"
need qemu-io

sheep_start
sheep_vdi there 16M
there=$vdi prefix=${vdi%there}

img()
{
	"$BUILD/tgtimg" --bstype sheepdog --op "$@"
}

# refuses TEXT OP OPTION...
refuses()
{
	local code=0 err

	err=$(img "${@:2}" 2>&1 >/dev/null) || code=$?
	expect "exit of tgtimg --op ${*:2}" 22 "$code"
	[[ $err == *"$1"* ]] || fail "tgtimg --op ${*:2}: said '$err', expected '$1'"
}

of=$sheep_address:$prefix

note 'new, show, resize'
img new --file "${of}disk" --size 32M
expect size $((32 << 20)) "$(img show --json --file "${of}disk" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["size"])')"
refuses 'exists already' new --file "$of"there --size 1M
refuses 'has at most' new --file "${of}large" --size 8P
img resize --file "${of}disk" --size +8M
[[ $(img show --file "${of}disk") == *"Size: $((40 << 20)) bytes"*'Allocated: 0 bytes'* ]] ||
	fail "$(img show --file "${of}disk")"
refuses 'cannot be made smaller' resize --file "${of}disk" --size 1M
refuses 'no such VDI' show --file "${of}nosuch"

note 'snapshot and clone'
head -c 40M /dev/urandom >"$dir/model"
sheep write "${prefix}disk" 0 <"$dir/model"
img snapshot --file "${of}disk" --to monday
refuses 'exists already' snapshot --file "${of}disk" --to monday
refuses 'is not a tag' snapshot --file "${of}disk" --to 17
refuses 'only a snapshot can be cloned' clone --file "${of}disk" --to "${prefix}copy"
refuses 'no such snapshot' clone --file "${of}disk:tuesday" --to "${prefix}copy"
refuses 'exists already' clone --file "${of}disk:monday" --to "$there"
img clone --file "${of}disk:monday" --to "${prefix}copy"
img clone --file "${of}disk:1" --to "${of}copy2"
sheep_lun "${prefix}copy"
io "$(url 1)" 'write -P 9 5M 3M'
sheep compare "${prefix}disk:monday" "$dir/model"
sheep compare "${prefix}disk" "$dir/model"
sheep compare "${prefix}copy2" "$dir/model"

note 'list'
expect list "${prefix}copy ${prefix}copy2 ${prefix}disk ${prefix}disk:monday $there" \
	"$(img list --file "$sheep_address" | awk -v p="$prefix" 'index($2, p) == 1 { print $2 }' |
		grep -E 'copy2?$|disk(:monday)?$|there$' | xargs)"
refuses 'without a VDI' list --file "$of"there

note 'delete: what others have of it stays'
img delete --file "${of}disk"
refuses 'no such VDI' show --file "${of}disk"
img delete --file "${of}disk:monday"
refuses 'no such' show --file "${of}disk:monday"
sheep compare "${prefix}copy2" "$dir/model"
io "$(url 1)" 'read -P 9 5M 3M'

note 'no sheep there'
refuses 'no sheep at unix:/nonexistent' show --file unix:/nonexistent:disk
refuses "begins with neither 'unix:' nor 'tcp:'" show --file /dev/sda
