#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Logical blocks of 512 to 4096 bytes: what READ CAPACITY says, and a round trip.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io iscsi-readcapacity16

for bytes in 512 1024 2048 4096; do
	disk 16M --blocksize "$bytes"
	said=$(iscsi-readcapacity16 "$(url 1)")
	has "$said" "LOGICAL BLOCK LENGTH IN BYTES:$bytes" "block size $bytes"
	has "$said" "RETURNED LOGICAL BLOCK ADDRESS:$((16 * 1024 * 1024 / bytes - 1))"
	has "$said" "Total size:$((16 * 1024 * 1024))"
	show target | grep -q "Block size: $bytes\$" || fail "tgtadm shows another block size"

	io "$(url 1)" "write -P 0x5a 4k 64k" "write -P 0xa5 16773120 4k" \
		"read -P 0x5a 4k 64k" "read -P 0 0 4k" "read -P 0xa5 16773120 4k"
	python "$(url 1)" "$bytes" <<'END'
size = int(sys.argv[2])
with Session(sys.argv[1]) as s:
    s.ready()
    s.write(5, b"\7" * size, block_bytes=size)
    check(s.read(5, 1, size) == b"\7" * size, "one block")
    a = s.command(read16(16 * 2**20 // size, 1), size)
    check(a.is_sense(5, 0x2100), "one past the end:", a)
END
done
