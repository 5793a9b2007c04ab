#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# UNMAP and WRITE SAME with UNMAP give blocks of a thin file back, and they read
# as zeroes.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

disk 64M
file=$(echo "$dir"/disk.*)
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
has "$(show target)" '            Thin-provisioning: Yes'
iscsi-readcapacity16 "$(url 1)" | grep -q '^LBPME:1 ' || fail "LBPME is not set"

blocks()
{
	sync -f "$file"
	stat -c %b "$file"
}

io "$(url 1)" "write -P 1 0 32M"
full=$(blocks)
[ "$full" -ge 65536 ] || fail "32 MiB written, $full blocks allocated"

io "$(url 1)" "discard 8M 16M"
left=$(blocks)
[ "$left" -le $((full - 16 * 2048)) ] || fail "discard of 16 MiB: from $full to $left blocks"
io "$(url 1)" "read -P 1 0 8M" "read -P 0 8M 16M" "read -P 1 24M 8M"

io "$(url 1)" "write -zu 0 8M"
less=$(blocks)
[ "$less" -le $((left - 8 * 2048)) ] || fail "WRITE SAME of 8 MiB: from $left to $less blocks"
io "$(url 1)" "read -P 0 0 24M" "read -P 1 24M 8M"

# Many ranges in one command, one of them empty.
python "$(url 1)" <<'END'
def unmap(*ranges):
    d = b"".join(lba.to_bytes(8, "big") + n.to_bytes(4, "big") + bytes(4) for lba, n in ranges)
    p = (len(d) + 6).to_bytes(2, "big") + len(d).to_bytes(2, "big") + bytes(4) + d
    return bytes([0x42, 0, 0, 0, 0, 0, 0]) + len(p).to_bytes(2, "big") + bytes(1), p
with Session(sys.argv[1]) as s:
    s.ready()
    cdb, p = unmap((49152, 8), (49168, 0), (49184, 8))
    s.ok(s.command(cdb, write=p))
    check(s.read(49152, 8) == bytes(4096) and s.read(49184, 8) == bytes(4096), "not zero")
    check(s.read(49160, 8) == b"\1" * 4096, "more than was asked for went")
    cdb, p = unmap((131064, 9))
    a = s.command(cdb, write=p)
    check(a.is_sense(5, 0x2100), "past the end:", a)
END
