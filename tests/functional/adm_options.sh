#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every way to write the same call: long, short, with =, shortened; aliases of modes.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
"$TGTADM" --lld iscsi --op new --mode target --tid 1 -T iqn.2001-04.com.example:a
"$TGTADM" -L iscsi -o new -m target -t 2 -T iqn.2001-04.com.example:b
"$TGTADM" --lld=iscsi --op=new --mode=target --tid=3 --targetname=iqn.2001-04.com.example:c
"$TGTADM" -oLnew 2>/dev/null && fail "-oLnew was taken"
"$TGTADM" --ll iscsi --op new --mod target --ti 4 --targetn iqn.2001-04.com.example:d
"$TGTADM" -C0 -mtgt -onew -t5 -Tiqn.2001-04.com.example:e
expect "targets" 5 "$(show target | grep -c ^Target)"

disk=$(disk_file 8M)
"$TGTADM" --op new --mode logicalunit --tid 1 --lun 1 --backing-store "$disk" --bstype rdwr --blocksize 512
"$TGTADM" -o new -m lu -t 1 -l 2 -b "$disk" -E rdwr -y 512 -f sync -Y disk
"$TGTADM" --op update --mode lu --tid 1 --lun 1 --param scsi_sn=SHORT1
"$TGTADM" -o update -m logicalunit -t 1 -l 2 -P scsi_sn=SHORT2,scsi_id=ID2
shown=$(show target)
has "$shown" '            SCSI SN: SHORT1'
has "$shown" '            SCSI SN: SHORT2'
has "$shown" '            SCSI ID: ID2'
"$TGTADM" -m target -o bind -t 1 -I ALL
"$TGTADM" -m target -o bind -t 1 -Q iqn.2001-04.com.example:init
"$TGTADM" -m account -o new -u u -p secret-of-user
"$TGTADM" -m account -o bind -t 1 -u u
"$TGTADM" -m account -o bind -t 2 -u u -O
has "$(show target)" '        u (outgoing)'

for mode in system sys; do
	"$TGTADM" -o show -m $mode >"$dir/sys"
	cmp "$dir/sys" <(show system)
done
for mode in target tgt; do
	cmp <("$TGTADM" -o show -m $mode) <(show target)
done
for mode in portal pt; do
	cmp <("$TGTADM" -o show -m $mode) <(show portal)
done
for mode in connection conn; do
	"$TGTADM" -o show -m $mode -t 1
done
"$TGTADM" -m target -o delete -t 1 --force
"$TGTADM" -m target -o delete -t 2 -F
expect "targets" 3 "$(show target | grep -c ^Target)"
[[ $("$TGTADM" -V) =~ ^[0-9]+(\.[0-9]+)+$ ]] || fail "version: $("$TGTADM" -V)"
"$TGTADM" --help | grep -q -- '--targetname' || fail "help without --targetname"
"$TGTADM" -h >"$dir/help"
