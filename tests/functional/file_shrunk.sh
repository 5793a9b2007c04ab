#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A file shrinks behind tgtd's back: what it held is a medium error, and is not
# reported as deallocated, which would read as zeroes.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
file=$(echo "$dir"/disk.*)
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
python "$(url 1)" "$file" <<'END'
def status(s, lba):
    d = s.ok(s.command(bytes([0x9e, 0x12]) + lba.to_bytes(8, "big") +
                       bytes([0, 0, 0, 24, 0, 0]), 24)).data
    check(int.from_bytes(d[8:16], "big") == lba, "LBA", d)
    return int.from_bytes(d[16:20], "big"), d[20] & 15

with Session(sys.argv[1]) as s:
    s.ready()
    check(status(s, 8192) == (8192, 1), "a hole:", status(s, 8192))
    os.truncate(sys.argv[2], 6 << 20)
    check(status(s, 8192) == (4096, 1), "up to the end:", status(s, 8192))
    check(status(s, 12288) == (4096, 0), "what is lost:", status(s, 12288))
    a = s.command(read16(12288, 8), 4096)
    check(a.is_sense(3, 0x1100), "a read of it:", a)
    check(s.read(8192, 8) == bytes(4096), "a read of the rest")
END
