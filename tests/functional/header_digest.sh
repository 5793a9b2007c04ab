#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Header digests: data is right with them and without.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

# QEMU takes the digest from an option (its URLs have no room for one).
with()
{
	qemu-io -d unmap --image-opts "${@:2}" \
		"driver=iscsi,transport=tcp,portal=$portal,target=$iqn,lun=1,header-digest=$1" \
		>"$dir/io.out" 2>&1 || fail "QEMU, $1: $(cat "$dir/io.out")"
}

disk 16M
with crc32c -c 'write -P 1 0 4M' -c 'write -P 2 4096 512' -c 'read -P 2 4096 512' -c flush
with none -c 'read -P 2 4096 512' -c 'read -P 1 1M 3M' -c 'write -P 2 4M 4M'
with crc32c-none -c 'read -P 2 4M 4M'
with none-crc32c -c 'read -P 2 4M 4M'
logs_in "$(url 1)?header_digest=crc32c"

# A target can insist.
adm --mode target --op update --tid "$tid" --name HeaderDigest --value CRC32C
has "$(show target --tid "$tid")" 'HeaderDigest=CRC32C'
with crc32c -c 'read -P 2 4M 4M'
