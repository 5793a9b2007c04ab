#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Identities: the same after a restart, different for every LUN and target, as set by
# the user.
. "$(dirname "$0")/lib/initiators.sh"

# Every designator and the serial number of LUN 1 of the newest target.
identity()
{
	python "$(url "${1:-1}")" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    serial = s.ok(s.command(inquiry(0x80), 255)).data
    page = s.ok(s.command(inquiry(0x83), 255)).data
    check(page[1] == 0x83 and len(page) == 4 + int.from_bytes(page[2:4], "big"), "page 83h", page)
    print("serial", serial[4:4 + serial[3]].decode().strip())
    at = 4
    while at < len(page):
        kind, n = page[at + 1], page[at + 3]
        if kind & 0x30 == 0:                    # of the logical unit
            print("designator", kind & 0xF, page[at + 4:at + 4 + n].hex())
        at += 4 + n
END
}

configure()
{
	next_tid=1
	tgtd_start
	target_new iqn.2001-04.org.example:a
	lun_new 1 1 "$dir/a1"
	lun_new 1 11 "$dir/a11"
	acl_bind 1 ALL
	target_new iqn.2001-04.org.example:b
	lun_new 2 1 "$dir/b1"
	acl_bind 2 ALL
	adm --mode target --op new --tid 11 --targetname iqn.2001-04.org.example:c
	lun_new 11 1 "$dir/c1"
	acl_bind 11 ALL
}

all()
{
	iqn=iqn.2001-04.org.example:a identity 1
	iqn=iqn.2001-04.org.example:a identity 11
	iqn=iqn.2001-04.org.example:b identity 1
	iqn=iqn.2001-04.org.example:c identity 1
}

truncate -s 1M "$dir/a1" "$dir/a11" "$dir/b1" "$dir/c1"
configure
all >"$dir/before"
grep -q '^designator 3 ' "$dir/before" || fail "no NAA designator: $(cat "$dir/before")"
expect "ids that are there twice" "" "$(sort "$dir/before" | uniq -d)"
tgtd_stop
configure
all >"$dir/after"
diff -u "$dir/before" "$dir/after" || fail "a restart changed the identities"

# Set by the user: shown as set, and the NAA follows, equally on two targets
# (two paths to one disk).
for t in 1 2; do
	adm --mode logicalunit --op update --tid $t --lun 1 --params scsi_id=my-disk-0001,scsi_sn=SN-0001
done
iqn=iqn.2001-04.org.example:a identity 1 >"$dir/one"
iqn=iqn.2001-04.org.example:b identity 1 >"$dir/two"
diff -u "$dir/one" "$dir/two" || fail "the same scsi_id gives different disks"
has "$(cat "$dir/one")" 'serial SN-0001'
! cmp -s "$dir/one" <(head -n "$(wc -l <"$dir/one")" "$dir/before") || fail "scsi_id changed nothing"
[ "$(grep '^designator 3' "$dir/one")" != "$(grep -m1 '^designator 3' "$dir/before")" ] ||
	fail "the NAA does not follow scsi_id"
# tgt cuts what is too long; that is said.
long=$(printf 'x%.0s' {1..36})
has "$(adm --mode logicalunit --op update --tid 1 --lun 1 --params "scsi_id=${long}y" 2>&1)" \
	"tgtadm: warning: parameter 'scsi_id' is cut to 36 characters"
has "$(adm --mode target --op show)" "            SCSI ID: $long"
