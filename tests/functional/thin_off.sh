#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Without thin provisioning a disk says so, and refuses UNMAP.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

disk 16M
has "$(show target)" '            Thin-provisioning: No'
iscsi-readcapacity16 "$(url 1)" | grep -q '^LBPME:0 ' || fail "LBPME is set"
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    s.write(0, b"\3" * 4096)
    a = s.command(bytes([0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]),
                  write=bytes([0, 22, 0, 16] + [0] * 4 + [0] * 8 + [0, 0, 0, 8] + [0] * 4))
    check(a.is_sense(5, 0x2000), "UNMAP:", a)
    check(s.read(0, 8) == b"\3" * 4096, "it is gone all the same")
END
