#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What tgtadm says when the daemon refuses, byte for byte.
. "$(dirname "$0")/lib/initiators.sh"

absent="tgtadm: can't find the target"
invalid='tgtadm: invalid request'
error_disk 8M 'op=write;hang=yes'
acl_bind "$tid" 127.0.0.1
adm --mode account --op new --user u --password secret-of-user
adm --mode account --op new --user o --password secret-of-outer
adm --mode account --op new --user o2 --password secret-of-outer
adm --mode account --op bind --tid "$tid" --user o --outgoing
before=$(show target; show target --tid "$tid")

says_first 22 'tgtadm: this target already exists' --mode target --op new --tid "$tid" -T iqn.x:other
says_first 22 'tgtadm: this target already exists' --mode target --op new --tid 77 -T "$iqn"
says_first 22 "$invalid" --mode target --op new --tid 77 -T iqn.x:under_score
says_first 22 "$invalid" --mode target --op new --tid 77 -T 'iqn.x:blank and more'
says_first 22 "tgtadm: can't find the driver" --lld bogus --mode target --op show
says_first 22 "tgtadm: can't find the driver" --lld iser --mode target --op new --tid 77 -T iqn.x:other
says_first 22 "$absent" --mode target --op show --tid 99
says_first 22 "$absent" --mode target --op delete --tid 99
says_first 22 "$absent" --mode target --op stat --tid 99
says_first 22 "$absent" --mode target --op bind --tid 99 -I ALL
says_first 22 "$absent" --mode target --op unbind --tid 99 -I ALL
says_first 22 "$absent" --mode target --op update --tid 99 --name MaxBurstLength --value 65536
says_first 22 "$absent" --mode logicalunit --op new --tid 99 --lun 1 -b "$(disk_file 1M)"
says_first 22 "$absent" --mode account --op bind --tid 99 --user u
says_first 22 "$absent" --mode conn --op show
says_first 22 "$absent" --mode conn --op show --tid 99
says_first 22 'tgtadm: this access control rule already exists' --mode target --op bind --tid "$tid" -I ALL
says_first 22 'tgtadm: this access control rule does not exist' \
	--mode target --op unbind --tid "$tid" -I 192.0.2.1
for bad in bogus=1 MaxBurstLength=many MaxBurstLength=511 MaxBurstLength=16777216 \
	InitialR2T=maybe MaxOutstandingR2T=0 HeaderDigest=md5 state=asleep MaxQueueCmd=0 \
	MaxQueueCmd=513 MaxConnections=2 ErrorRecoveryLevel=1; do
	says_first 22 "$invalid" --mode target --op update --tid "$tid" \
		--name "${bad%%=*}" --value "${bad#*=}"
done
says_first 22 'tgtadm: this logical unit number already exists' \
	--mode logicalunit --op new --tid "$tid" --lun 1 -b "$(disk_file 1M)"
says_first 22 'tgtadm: this logical unit number already exists' \
	--mode logicalunit --op new --tid "$tid" --lun 0 -b "$(disk_file 1M)"
for bad in '-b /nowhere/at/all' '-b /nowhere --bstype bogus' '-b FILE --bsoflags bogus' \
	'-b FILE --blocksize 513' '-b FILE --bsopts bogus=1' '-b FILE --params bogus=1' \
	'-b FILE --bstype rbd:x' '--params removable=0' "-b $dir"; do
	# shellcheck disable=SC2086
	says_first 22 "$invalid" --mode logicalunit --op new --tid "$tid" --lun 5 ${bad/FILE/$(disk_file 1M)}
done
for bad in not.an.ip 192.0.2.0/33 2001:db8::/129 192.0.2.256 ''; do
	says_first 22 "$invalid" --mode target --op bind --tid "$tid" --initiator-address="$bad"
done
says_first 22 "$invalid" --mode logicalunit --op delete --tid "$tid" --lun 0
says_first 22 "tgtadm: can't find the logical unit" --mode logicalunit --op delete --tid "$tid" --lun 9
says_first 22 "tgtadm: can't find the logical unit" \
	--mode logicalunit --op update --tid "$tid" --lun 9 --params readonly=1
says_first 22 "$invalid" --mode logicalunit --op update --tid "$tid" --lun 1 --params bogus=1
says_first 22 "$invalid" --mode logicalunit --op update --tid "$tid" --lun 1 --params readonly=2
says_first 22 'tgtadm: this account already exists' --mode account --op new --user u --password x
says_first 22 "tgtadm: can't find the account" --mode account --op delete --user nobody
says_first 22 "tgtadm: can't find the account" --mode account --op bind --tid "$tid" --user nobody
says_first 22 'tgtadm: this target already has an outgoing account' \
	--mode account --op bind --tid "$tid" --user o2 --outgoing
says_first 22 "tgtadm: can't find the session" --mode conn --op delete --tid "$tid" --sid 99 --cid 0
says_first 22 "tgtadm: can't find the session" --mode sess --op stat --tid "$tid" --sid 99
says_first 22 "$invalid" --mode sess --op show
says_first 22 "$invalid" --mode sys --op delete
says_first 22 "$invalid" --mode sys --op update --name bogus --value on
says_first 22 'tgtadm: this driver is busy' --lld iscsi --mode lld --op stop
for bad in "$portal" 192.0.2.77:0 127.0.0.1:70000 nowhere.invalid:3260 '[::1'; do
	says_first 22 "$invalid" --mode portal --op new --param "portal=$bad"
done
for bad in 127.0.0.1:1 192.0.2.77:3260 nonsense; do
	says_first 22 "$invalid" --mode portal --op delete --param "portal=$bad"
done

expect "what is configured" "$before" "$(show target; show target --tid "$tid")"

adm --mode account --op bind --tid "$tid" --user u
says_first 22 'tgtadm: this account already exists' --mode account --op bind --tid "$tid" --user u
says_first 22 'tgtadm: this target already has an outgoing account' \
	--mode account --op bind --tid "$tid" --user o2 --outgoing
session_open s "iscsi://u%secret-of-user@$portal/$iqn/1"
says_first 22 'tgtadm: this target is still active' --mode target --op delete --tid "$tid"
touch "$rules_on"
printf 'write 0 8 7\n' >&"${session_in[s]}"
under_way()
{
	adm --mode logicalunit --op stat --tid "$tid" --lun 1 | awk 'NR > 1 && $9 > $11 {yes = 1} END {exit !yes}'
}
wait_for 20 under_way || fail "no write is under way"
says_first 22 'tgtadm: this logical unit is still active' --mode logicalunit --op delete --tid "$tid" --lun 1
rm "$rules_on"
session_reply s
sid=$(show conn --tid "$tid" | sed -n 's/^Session: //p')
says_first 22 "tgtadm: can't find the connection" --mode conn --op delete --tid "$tid" --sid "$sid" --cid 99
session_close s

# No daemon.
gone='tgtadm: failed to send request hdr to tgt daemon, Transport endpoint is not connected'
says 107 "$gone" -C 55 --mode target --op show
TGT_IPC_SOCKET=$dir/nowhere/socket says 107 "$gone" --mode target --op show
TGT_IPC_SOCKET=$dir says 107 "$gone" --mode target --op show
tgtd_stop
says 107 "$gone" --mode target --op show
