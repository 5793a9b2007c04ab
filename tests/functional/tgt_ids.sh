#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgt_ids=1 gives a LUN taken over from tgt the identity that it had there, byte for
# byte as tgt 1.0.85 says it.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
adm --mode target --op new --tid 42 --targetname iqn.2001-04.org.example:old
lun_new 42 7 "$(disk_file 8M)"
acl_bind 42 ALL
iqn=iqn.2001-04.org.example:old
before=$(iscsi-inq -e 1 -c 128 "$(url 7)")
adm --mode logicalunit --op update --tid 42 --lun 7 --params tgt_ids=1
has "$(show target)" '            SCSI ID: IET     002a0007'
has "$(show target)" '            SCSI SN: beaf427'
python "$(url 7)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    page = s.ok(s.command(inquiry(0x83), 255)).data
    units, at = [], 4
    while at < len(page):
        if page[at + 1] & 0x30 == 0:            # of the logical unit, not the port
            units.append(page[at:at + 4 + page[at + 3]].hex())
        at += 4 + page[at + 3]
    wanted = ["02010024" + b"IET     002a0007".hex() + "00" * 20,
              "01030008" + "3000002a00000007",
              "01030010" + "60000000000000000e000000002a0007"]
    check(units == wanted, "designators", units, "expected", wanted)
    serial = s.ok(s.command(inquiry(0x80), 255)).data
    check(serial[4:].strip() == b"beaf427", "serial", serial)
END
adm --mode logicalunit --op update --tid 42 --lun 7 --params tgt_ids=0
expect "its own serial number again" "$before" "$(iscsi-inq -e 1 -c 128 "$(url 7)")"
