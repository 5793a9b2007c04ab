#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# WRITE SAME across and beyond 4 GiB: with data, and zeroes over more than 4 GiB;
# what is beside it stays.
# timeout: 300
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

tgtd_start
target_new
lun_new "$tid" 1 "$(disk_file 10G)" --blocksize 4096
acl_bind "$tid" ALL
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
file=$(echo "$dir"/disk.*)
io "$(url 1)" "write -P 7 4094M 6M" "write -P 7 5G 2M" "write -P 7 9728M 8k"

python "$(url 1)" <<'END'
GIB, BLOCK = 1 << 30, 4096

def write_same(lba, blocks, flags):
    return bytes([0x93, flags]) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(2)

with Session(sys.argv[1]) as s:
    s.ready()
    limits = s.ok(s.command(inquiry(0xB0), 255)).data
    most = int.from_bytes(limits[36:44], "big")
    # Data, from 1 MiB and a block below 4 GiB to as much above.
    first, blocks = 4 * GIB // BLOCK - 257, 514
    s.ok(s.command(write_same(first, blocks, 0), write=b"\x5a" * BLOCK))
    check(s.read(first, blocks, BLOCK) == b"\x5a" * BLOCK * blocks)
    for beside in (first - 1, first + blocks):
        check(s.read(beside, 1, BLOCK) != b"\x5a" * BLOCK, "block", beside)
    # Zeroes from 5 GiB and a block to 9.5 GiB, unmapped.
    first, end = 5 * GIB // BLOCK + 1, 19 * GIB // 2 // BLOCK + 1
    while first < end:
        n = min(most, end - first)
        s.ok(s.command(write_same(first, n, 0x09)))
        first += n
    a = s.command(write_same(first, most + 1, 1))
    check(a.is_sense(5, 0x2400), a)
    MIB = 1 << 20
    for at, end, byte in (
            (4094 * MIB, 4 * GIB - 257 * BLOCK, 7), (4 * GIB + 257 * BLOCK, 4100 * MIB, 7),
            (5 * GIB, 5 * GIB + BLOCK, 7), (5 * GIB + BLOCK, 5 * GIB + 2 * MIB, 0),
            (6 * GIB, 6 * GIB + MIB, 0), (9727 * MIB, 9728 * MIB + BLOCK, 0),
            (9728 * MIB + BLOCK, 9728 * MIB + 2 * BLOCK, 7)):
        got = s.read(at // BLOCK, (end - at) // BLOCK, BLOCK)
        check(got == bytes([byte]) * (end - at), hex(at), "is not", byte)
END
sync -f "$file"
[ "$(stat -c %b "$file")" -lt 65536 ] || fail "$(stat -c %b "$file") sectors are allocated"
