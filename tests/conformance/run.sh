#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libiscsi's conformance suite on thin file LUNs; expected.txt has what does
# not pass, and why.
# timeout: 600
. "$(dirname "$0")/../lib/common.sh"
need iscsi-test-cu python3

LANES=4			# most tests wait for round trips
LUN_SIZE=128M
TEST_SECONDS=100		# one of them sleeps for 60
BLOCK_BYTES=${BLOCK_BYTES:-512}

tgtd_start --iscsi portal=127.0.0.1:0 --iscsi portal=127.0.0.1:0
mapfile -t portals < <(adm --mode portal --op show |
	sed -n 's/^Portal: \(.*\),[0-9]*$/\1/p')
[ "${#portals[@]}" -eq 2 ] || fail "two portals wanted, there are: ${portals[*]}"

slow=1
[ -z "${SAN:-}" ] || slow=4
args=()

# thin_disk [BLOCK-BYTES] - a target with a disk as LUN 1; sets $paths.
thin_disk()
{
	target_new
	lun_new "$tid" 1 "$(disk_file "$LUN_SIZE")" --blocksize "${1:-$BLOCK_BYTES}"
	update thin_provisioning=1
	acl_bind "$tid" ALL
	paths=iscsi://${portals[0]}/$iqn/1,iscsi://${portals[1]}/$iqn/1
}

update()
{
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params "$1"
}

for ((i = 0; i < LANES; i++)); do
	thin_disk
	args+=(--lane "$paths")
done

# Those that want a disk of another kind.
thin_disk
update readonly=1
args+=(--special '^ALL\.ReadOnly\.' "$paths")
thin_disk
update removable=1
args+=(--special '^ALL\.(PreventAllow|StartStopUnit|NoMedia)\.' "$paths")
# It is right only where physical blocks are as small as logical ones.
thin_disk 4096
args+=(--special '^ALL\.GetLBAStatus\.UnmapSingle$' "$paths")
# It looks at a SANITIZE that is to last for some seconds, but not for a minute.
target_new
lun_new "$tid" 1 "rdwr:$(disk_file "$LUN_SIZE")" --blocksize "$BLOCK_BYTES" \
	--bstype error --bsopts "op=write;delay=150"
update thin_provisioning=1
acl_bind "$tid" ALL
paths=iscsi://${portals[0]}/$iqn/1,iscsi://${portals[1]}/$iqn/1
args+=(--special '^ALL\.Sanitize\.Reset$' "$paths")
# It compares one block more than it has set to zero before.
thin_disk
args+=(--special '^ALL\.MultipathIO\.CompareAndWrite$' "$paths")

"$(dirname "$0")/judge.py" --expected "$(dirname "$0")/expected.txt" \
	--timeout $((TEST_SECONDS * slow)) "${args[@]}" "$@"
