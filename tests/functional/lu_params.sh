#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Parameters of a LUN, as an initiator sees them.
. "$(dirname "$0")/lib/initiators.sh"

update()
{
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params "$1"
}

disk 8M
update vendor_id=ACME,product_id=Disk,product_rev=7a
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    d = s.ok(s.command(inquiry(), 96)).data
    check(d[8:36] == b"ACME    Disk            7a  ", "INQUIRY:", d[8:36])
END

# lbppbe and la_lba: a physical block and where one begins.
for exp in 0 1 2 3; do
	update "lbppbe=$exp"
	iscsi-readcapacity16 "$(url 1)" | grep -q "PHYSICAL BLOCK EXPONENT:$exp\$" ||
		fail "lbppbe=$exp: $(iscsi-readcapacity16 "$(url 1)")"
done
update la_lba=5
has "$(iscsi-readcapacity16 "$(url 1)")" 'LOWEST ALIGNED LOGICAL BLOCK ADDRESS:5'

# A file's block is not said to be an optimal length: Linux would split all at it.
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    best = int.from_bytes(s.ok(s.command(inquiry(0xB0), 255)).data[12:16], "big")
    check(best == 0 or best >= 1024, "OPTIMAL TRANSFER LENGTH:", best)
END
update optimal_xfer_gran=64,optimal_xfer_len=1024,rotation_rate=7200
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    d = s.ok(s.command(inquiry(0xB0), 255)).data
    check(d[6:8] == b"\0\x40", "OPTIMAL TRANSFER LENGTH GRANULARITY:", d[6:8])
    check(d[12:16] == b"\0\0\4\0", "OPTIMAL TRANSFER LENGTH:", d[12:16])
    d = s.ok(s.command(inquiry(0xB1), 255)).data
    check(int.from_bytes(d[4:6], "big") == 7200, "MEDIUM ROTATION RATE:", d[4:6])
END

update removable=1
has "$(show target)" '            Removable media: Yes'
iscsi-inq "$(url 1)" | grep -qx Removable:1 || fail "INQUIRY says it is not removable"
update removable=0

# Offline: no medium access, and back.
session_open s "$(url 1)"
update online=0
has "$(show target)" '            Online: No'
ask s tur
[[ $reply == sense\ 6/* ]] && ask s tur
[[ $reply == sense\ 2/* ]] || fail "offline: $reply"
update online=1
has "$(show target)" '            Online: Yes'
ask s tur
[[ $reply == sense\ 6/* ]] && ask s tur
expect "online again" good "$reply"

# sense_format=1: descriptor format, which libiscsi decodes as well.
update sense_format=1
ask s tur
ask s read 999999999 1
expect "descriptor sense" 'sense 5/2100' "$reply"
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    d = s.ok(s.command(bytes([0x1A, 8, 0x0A, 0, 64, 0]), 64)).data      # Control page, DBD
    check(d[4 + 2] & 0x04, "D_SENSE is not set:", d)
END
session_close s
