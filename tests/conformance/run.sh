#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# libiscsi's conformance suite on thin LUNs, of files or of images; expected.txt has what
# does not pass, and why.  Debian's version of the tool, or another one that is named in
# ISCSI_TEST_CU: what is different about a newer one is in expected-newer.txt.
# timeout: 600
. "$(dirname "$0")/../lib/common.sh"
need iscsi-test-cu python3

LANES=4			# most tests wait for round trips
LUN_SIZE=128M
TEST_SECONDS=100		# one of them sleeps for 60
BLOCK_BYTES=${BLOCK_BYTES:-512}

DISK=disk_file
if [ "${BSTYPE:-}" = rbd ]; then
	# shellcheck source=../lib/ceph.sh
	. "$SRC/tests/lib/ceph.sh"
	ceph_start
	ceph_stores
	DISK=ceph_image
fi
if [ "${BSTYPE:-}" = sheepdog ]; then
	# shellcheck source=../lib/sheep.sh
	. "$SRC/tests/lib/sheep.sh"
	sheep_start
	DISK=sheep_disk
	BSOPTS=discard=yes
	sheep_disk()
	{
		sheep_vdi "$(basename "$(mktemp -u)")" "$1" --shift 20
		printf '%s:%s\n' "$sheep_address" "$vdi"
	}
fi
tgtd_start --iscsi portal=127.0.0.1:0 --iscsi portal=127.0.0.1:0 \
	${REACTORS:+--reactors "$REACTORS"}
mapfile -t portals < <(adm --mode portal --op show |
	sed -n 's/^Portal: \(.*\),[0-9]*$/\1/p')
[ "${#portals[@]}" -eq 2 ] || fail "two portals wanted, there are: ${portals[*]}"

slow=1
[ -z "${SAN:-}" ] || slow=4
args=()

# thin_disk [BLOCK-BYTES [SIZE [OPTION...]]] - a target with a disk as LUN 1; sets $paths.
thin_disk()
{
	target_new
	lun_new "$tid" 1 "$("$DISK" "${2:-$LUN_SIZE}")" --blocksize "${1:-$BLOCK_BYTES}" "${@:3}"
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
thin_disk "$BLOCK_BYTES" "$LUN_SIZE" --params atomic_write=1M
args+=(--special '^ALL\.WriteAtomic16\.' "$paths")
# It is right only where physical blocks are as small as logical ones.
thin_disk 4096
args+=(--special '^ALL\.GetLBAStatus\.UnmapSingle$' "$paths")
# special_disk BSOPTS - a thin disk on a store with these options of --bstype error.
special_disk()
{
	target_new
	lun_new "$tid" 1 "rdwr:$(disk_file "$LUN_SIZE")" --blocksize "$BLOCK_BYTES" \
		--bstype error --bsopts "$1"
	update thin_provisioning=1
	acl_bind "$tid" ALL
	paths=iscsi://${portals[0]}/$iqn/1,iscsi://${portals[1]}/$iqn/1
}
# It looks at a SANITIZE that is to last for some seconds, but not for a minute.
special_disk "op=write;delay=150"
args+=(--special '^ALL\.Sanitize\.Reset$' "$paths")
# It sends a block of FFh with UNMAP=1, and wants zeroes of a disk with LBPRZ=1: SBC-3
# 4.7.3.4.4 has such data written.  A disk with LBPRZ=0 promises nothing.
special_disk "reads_zero=no"
args+=(--special '^ALL\.WriteSame10\.UnmapUntilEnd$' "$paths")
# It compares one block more than it has set to zero before.
thin_disk
args+=(--special '^ALL\.MultipathIO\.CompareAndWrite$' "$paths")
newer=
if "${ISCSI_TEST_CU:-iscsi-test-cu}" --list | grep >/dev/null iSCSISendTargets; then
	newer=yes
fi
# Since libiscsi's commit b4d59cd6 it changes the CDB of PDUs that are not SCSI commands
# (!= where == was, line 33): a valid command of two blocks goes out, and is to fail.
# Where one is all that is compared at once, it does.
if [ -n "$newer" ]; then
	special_disk "compare=$BLOCK_BYTES"
	[ "$BLOCK_BYTES" = 512 ] || update lbppbe=3
	args+=(--special '^ALL\.CompareAndWrite\.InvalidDataOutSize$' "$paths")
fi
# A physical block of theirs has several logical ones: with blocks of 512 bytes every
# disk here is like that.
if [ "$BLOCK_BYTES" = 4096 ]; then
	thin_disk
	update lbppbe=3
	args+=(--special '^ALL\..*\.(InvalidDataOutSize|UnmapUnaligned)$' "$paths")
fi
# They write 512 bytes as one block, whatever a block is.
thin_disk 512
args+=(--special '^ALL\.ProutReserve\.Access' "$paths")

# Tests of newer versions.
thin_disk "$BLOCK_BYTES" 768M
args+=(--special '^ALL\.ExtendedCopy\.Large$' "$paths")
# chap_disk REGEX USER
thin_disk
chap_disk()
{
	adm --mode account --op new --user "$2" --password secretsecret
	adm --mode account --op bind --tid "$tid" --user "$2"
	args+=(--special "$1" "iscsi://$2%secretsecret@${portals[0]}/$iqn/1")
}
chap_disk '^ALL\.iSCSICHAP\.HexName$' 0x1234
chap_disk '^ALL\.iSCSICHAP\.Base64Name$' 0bYWJj
chap_disk '^ALL\.iSCSICHAP\.' user

expected=(--expected "$(dirname "$0")/expected.txt")
if [ -n "$newer" ]; then
	expected+=(--expected "$(dirname "$0")/expected-newer.txt")
fi
"$(dirname "$0")/judge.py" "${expected[@]}" \
	--timeout $((TEST_SECONDS * slow)) "${args[@]}" "$@"
