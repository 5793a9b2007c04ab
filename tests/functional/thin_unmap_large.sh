#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# UNMAP of more than 4 GiB in one descriptor does what it says.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

disk 10G
file=$(echo "$dir"/disk.*)
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
io "$(url 1)" "write -P 7 0 1M" "write -P 7 6G 1M" "write -P 7 9G 1M"

python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    limits = s.ok(s.command(inquiry(0xB0), 255)).data
    most = int.from_bytes(limits[20:24], "big")
    blocks = 8 << 21                            # 8 GiB
    d = bytes(8) + blocks.to_bytes(4, "big") + bytes(4)
    p = (len(d) + 6).to_bytes(2, "big") + len(d).to_bytes(2, "big") + bytes(4) + d
    a = s.command(bytes([0x42, 0, 0, 0, 0, 0, 0]) + len(p).to_bytes(2, "big") + bytes(1), write=p)
    # What the device says it takes, it takes; more it refuses.
    check(a.good if most >= blocks else a.is_sense(5, 0x2600), f"limit {most}:", a)
    if not a.good:
        for first in range(0, blocks, most):
            n = min(most, blocks - first)
            d = first.to_bytes(8, "big") + n.to_bytes(4, "big") + bytes(4)
            s.ok(s.command(bytes([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]),
                           write=bytes([0, 22, 0, 16, 0, 0, 0, 0]) + d))
END
io "$(url 1)" "read -P 0 0 1M" "read -P 0 6G 1M" "read -P 7 9G 1M"
sync -f "$file"
[ "$(stat -c %b "$file")" -lt 4096 ] || fail "$(stat -c %b "$file") blocks are still allocated"
