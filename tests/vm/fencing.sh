#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Fencing as fence_scsi does it, of two nodes (two sessions with names of their own): both
# register, one reserves for registrants; preempt-and-abort takes the other's key, and
# from then on what it writes is refused and changes nothing.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 16M)"
acl_bind "$tid" ALL
guest_start
dmesg_expect 'reservation conflict|critical nexus error, dev sd|I/O error, dev sd|Buffer I/O error' \
	'Parameters changed|Registrations preempted|Reservations (preempted|released)|FAILED Result|CDB: '
guest iqn="$iqn" one="$here_1:3260" two="$here_2:3260" <<'END'
# Two interfaces of iscsiadm: two initiator names.
for node in a b; do
	iscsiadm -m iface -I "$node" --op new >/dev/null
	iscsiadm -m iface -I "$node" --op update -n iface.initiatorname -v "iqn.2001-04.org.example:node-$node" >/dev/null
done
iscsiadm -m discovery -t st -p "$one" -I a >/dev/null
iscsiadm -m node -T "$iqn" -p "$one" -I a --login >/dev/null
a=$(disk_of "$iqn" "$one" 1)
iscsiadm -m discovery -t st -p "$two" -I b -o nonpersistent >/dev/null
iscsiadm -m node -T "$iqn" -p "$two" -I b --op new >/dev/null
iscsiadm -m node -T "$iqn" -p "$two" -I b --login >/dev/null
b=$(disk_of "$iqn" "$two" 1)
[ "$a" != "$b" ]

pr()
{
	sg_persist -n "${@:2}" -d "$1"
}

head -c 1M /dev/urandom >/run/data
write()
{
	dd if=/run/data of="$1" bs=64k oflag=direct status=none 2>/dev/null
}

turs()
{
	sg_turs "$1" >/dev/null 2>&1 || sg_turs "$1"	# a unit attention, maybe
}

pr "$a" -o -I -S 0xa >/dev/null		# register and ignore
pr "$b" -o -I -S 0xb >/dev/null
pr "$a" -o -R -T 5 -K 0xa >/dev/null	# write exclusive, registrants only
pr "$a" -i -k | grep -q '0xb'
pr "$a" -i -r | grep -q 'Write Exclusive, registrants only'
write "$a"
write "$b"
pr "$a" -o -A -T 5 -K 0xa -S 0xb >/dev/null	# preempt and abort
pr "$a" -i -k >/run/keys
! grep -q '0xb' /run/keys || fail "the key of b is still there: $(cat /run/keys)"
turs "$b"
head -c 1M /dev/zero >/run/data2
if dd if=/run/data2 of="$b" bs=64k oflag=direct status=none 2>/dev/null; then
	fail "the node that was fenced can write"
fi
dd if="$a" bs=64k count=16 iflag=direct status=none | cmp - /run/data
write "$a"
pr "$b" -o -I -S 0xb >/dev/null		# it is let in again
turs "$b"
write "$b"
pr "$a" -o -C -K 0xa >/dev/null
pr "$a" -i -k | grep -q 'NO registered reservation keys'
END
figure $((1 << 20)) "bytes verified"
guest_end
