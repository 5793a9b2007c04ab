#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 180
# The same calls to Debian's tgt and to us, one after the other: what tgtadm prints, the
# first line of its errors, and its exit code are equal, in all the states that other
# programs take apart.  Only numbers of sessions and ports, and the identities of LUNs
# that nobody has given one, may differ.
. "$(dirname "$0")/lib/initiators.sh"

[ "$(id -u)" -eq 0 ] || skip "tgt serves root only"
dpkg -S /usr/sbin/tgtd 2>/dev/null | grep -q '^tgt:' || skip "Debian's tgt is not installed"

end_tgt()
{
	kill -KILL "$tgt_pid" 2>/dev/null || :
	wait "$tgt_pid" 2>/dev/null || :
}

theirs() { TGT_IPC_SOCKET=$dir/tgt /usr/sbin/tgtadm -C 9 "$@"; }

mkdir "$dir/tmp"
TGT_IPC_SOCKET=$dir/tgt /usr/sbin/tgtd -f -C 9 --iscsi portal=127.0.0.1:0 >"$dir/tgt.log" 2>&1 &
tgt_pid=$!
at_end+=(end_tgt)
answers() { ! running "$tgt_pid" || theirs --mode sys --op show >/dev/null 2>&1; }
wait_for 20 answers || fail "tgt: $(cat "$dir/tgt.log")"
running "$tgt_pid" || skip "tgt does not run here: $(tail -n 1 "$dir/tgt.log")"
tgtd_start
tgt_portal=$(theirs --mode portal --op show | sed -n 's/^Portal: \(127.*\),1$/\1/p')

# The variable parts, as letters.
plain()
{
	sed -E 's/^(Portal: 127.0.0.1):[0-9]+/\1:PORT/
		s/^( +I_T nexus|Session): [0-9]+$/\1: N/
		s/^( +SCSI ID: )IET     [0-9a-f]{8,16}$/\1ID/
		s/^( +SCSI SN: )(beaf[0-9]+|[0-9a-f]{16})$/\1SN/'
}

calls=0
# same ARG... - of tgtadm.
same()
{
	local a=0 b=0

	theirs "$@" </dev/null >"$dir/tmp/a" 2>"$dir/tmp/a.err" || a=$?
	"$TGTADM" "$@" </dev/null >"$dir/tmp/b" 2>"$dir/tmp/b.err" || b=$?
	running "$tgt_pid" || fail "tgtadm $*: tgt has died"
	expect "exit of tgtadm $*" "$a" "$b"
	diff <(plain <"$dir/tmp/a") <(plain <"$dir/tmp/b") || fail "tgtadm $*: the output differs"
	expect "error of tgtadm $*" "$(head -n 1 "$dir/tmp/a.err")" \
		"$(sed '/^tgtadm: warning: /d' "$dir/tmp/b.err" | head -n 1)"
	calls=$((calls + 1))
}

target=iqn.2001-04.com.example:t1
a=$(disk_file 64M)
note "calls that are wrong in themselves"
for mode in target lu portal account conn sess; do
	for op in new delete show bind unbind update stat; do
		case "$mode $op" in
		account\ delete) continue ;;		# tgt dies of it
		lu\ show | lu\ bind | lu\ unbind | conn\ delete | *\ stat) continue ;;
		esac
		same --mode $mode --op $op
		same --mode $mode --op $op --tid abc
		same --mode $mode --op $op --tid=-1
		[ "$mode" = portal ] || same --mode $mode --op $op --tid 99
		[ "$mode" = portal ] || same --mode $mode --op $op --tid 99 --name n --value v
		[[ $mode = portal || $mode$op = lunew ]] || same --mode $mode --op $op --tid 99 --cid 0 --sid 4
		[[ $mode = portal || $mode$op = lunew ]] || same --mode $mode --op $op --tid 99 --params a=b --lun 5
	done
done
same --mode lu --op delete --tid 99 --lun 1
same --mode lu --op update --tid 99 --lun 1
same --mode lu --op update --tid 99 --lun 1 --params removable=1

note "targets and logical units"
same --mode target --op show
same --mode lld --op show --lld bogus
same --mode target --op new --tid 1 --targetname $target
same --mode target --op new --tid 1 --targetname $target.other
same --mode target --op new --tid 2 --targetname $target
same --mode target --op new --tid 2 --targetname iqn.2001-04.com.example:under_score
same --mode target --op new --tid 2 --targetname short
same --mode target --op show
same --mode target --op show --tid 1
same --mode target --op stat --tid 1
same --mode sys --op stat
same --mode conn --op show --tid 1
lun() { same --mode lu --op new --tid 1 --lun "$@"; }
lun 1 -b "$a"
lun 1 -b "$a"
lun 0 -b "$a"
lun 2 -b "$(disk_file 6G)" --bsoflags sync
lun 3 -b "$(disk_file 3T)" --bsoflags direct
lun 4 -b "$(disk_file 5M)" --bsoflags direct:sync --blocksize 4096
lun 5 -b "$(disk_file 1000007)" --bsoflags sync:direct --blocksize 2048
lun 6 -b "$(disk_file 16M)" --bstype aio
lun 7
lun 8 --device-type disk
lun 9 -b /nowhere
lun 9 -b "$a" --bstype nothing
lun 9 -b "$a" --bsoflags often
lun 9 -b "$a" --device-type sausage
lun 9 --device-type changer
lun 16383 -b "$(disk_file 16M)"
same --mode target --op show
lu() { same --mode lu --op update --tid 1 --lun "$@"; }
lu 1 --params scsi_id=ID0001,scsi_sn=SN0001,vendor_id=ACME,product_id=PROD,product_rev=1.0
lu 1 --params removable=1
lu 2 --params readonly=1
lu 2 --params online=0
lu 3 --params thin_provisioning=1,scsi_id=550e8400-e29b-41d4-a716-446655440000
lu 4 --params lbppbe=3,la_lba=0,optimal_xfer_gran=8,optimal_xfer_len=128,sense_format=1,rotation_rate=1
lu 5 --params scsi_id=0123456789012345678901234567890123456789,scsi_sn=0123456789012345678901234567890123456789
lu 6 --params mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0
lu 7 --params path="$(disk_file 32M)"
lu 1 --params bogus=1
lu 1 --params removable
lu 1
lu 0
lu 99
lu 99 --params removable=1
same --mode target --op show
for n in 8 16383 99 0; do
	same --mode lu --op delete --tid 1 --lun $n
done
same --mode target --op show

note "accounts and rules"
same --mode account --op show
for user in alice bob carol; do
	same --mode account --op new --user $user --password secret-of-$user
done
same --mode account --op new --user alice --password another-secret
same --mode account --op show
same --mode account --op bind --tid 1 --user alice
same --mode account --op bind --tid 1 --user carol
same --mode account --op bind --tid 1 --user alice
same --mode account --op bind --tid 1 --user nobody
same --mode account --op bind --tid 1 --user bob --outgoing
same --mode account --op bind --tid 1 --user carol --outgoing
same --mode account --op delete --user nobody
same --mode target --op show
for address in 192.0.2.1 192.0.2.0/24 2001:db8::1 2001:db8::/32 ALL; do
	same --mode target --op bind --tid 1 --initiator-address $address
	same --mode target --op bind --tid 1 --initiator-address $address
done
for name in iqn.1994-05.com.example:one iqn.1994-05.com.example:two; do
	same --mode target --op bind --tid 1 --initiator-name $name
	same --mode target --op bind --tid 1 --initiator-name $name
done
same --mode target --op show
same --mode target --op unbind --tid 1 --initiator-address 192.0.2.0/24
same --mode target --op unbind --tid 1 --initiator-address 192.0.2.0/24
same --mode target --op unbind --tid 1 --initiator-name iqn.1994-05.com.example:one
same --mode target --op unbind --tid 1 --initiator-name iqn.1994-05.com.example:none
same --mode target --op show

note "parameters of a target"
while read -r name value; do
	same --mode target --op update --tid 1 --name "$name" --value "$value"
done <<'END'
nop_interval 7
nop_count 3
MaxRecvDataSegmentLength 65536
HeaderDigest CRC32C,None
DataDigest CRC32C
InitialR2T No
MaxOutstandingR2T 16
ImmediateData No
FirstBurstLength 32768
MaxBurstLength 1048576
MaxBurstLength many
MaxBurstLength 1
MaxBurstLength 99999999
DefaultTime2Wait 5
DefaultTime2Retain 0
MaxQueueCmd 32
MaxQueueCmd 513
MaxXmitDataSegmentLength 65536
bogus 1
state asleep
state offline
END
same --mode target --op update --tid 1 --name MaxBurstLength
same --mode target --op show --tid 1
same --mode target --op show
same --mode target --op update --tid 1 --name state --value ready

note "sessions"
for t in 2 3; do
	same --mode target --op new --tid $t --targetname $target.$t
done
same --mode target --op bind --tid 3 --initiator-address ALL
same --mode lu --op new --tid 3 --lun 1 -b "$(disk_file 16M)"
for i in 1 2; do
	session_open "a$i" "iscsi://$tgt_portal/$target.3/1" "iqn.1994-05.com.example:host$i"
	session_open "b$i" "iscsi://$portal/$target.3/1" "iqn.1994-05.com.example:host$i"
done
same --mode target --op show
same --mode conn --op show --tid 3
same --mode conn --op show --tid 2
same --mode conn --op show --tid 99
same --mode lld --op stop
same --mode target --op delete --tid 3
same --mode sys --op delete
for i in 1 2; do
	session_close "a$i"
	session_close "b$i"
done
same --mode conn --op show --tid 3

note "where we differ, and mean it"
# differs TGT OURS ARG... - the exit codes.
differs()
{
	local a=0 b=0

	theirs "${@:3}" >/dev/null 2>&1 || a=$?
	"$TGTADM" "${@:3}" >/dev/null 2>&1 || b=$?
	expect "exit of tgtadm ${*:3}" "$1 $2" "$a $b"
}
differs 22 0 --mode lu --op new --tid 3 --lun 2 -b "$a" --bstype aio --bsoflags direct
has "$(show target)" '            Backing store flags: direct'
differs 0 22 --mode lu --op new --tid 3 --lun 16384 -b "$a"
differs 0 22 --mode lu --op new --tid 3 --lun 3 -b "$a" --blocksize 513
differs 0 22 --mode lu --op update --tid 3 --lun 0 --params vendor_id=ACME
differs 0 22 --mode target --op new --tid 4 --targetname "iqn.$(printf '%0300d' 1)"
differs 0 22 --mode target --op bind --tid 3 --initiator-address not.an.ip
differs 0 22 --mode target --op update --tid 3 --name nop_interval --value -1
differs 0 22 --mode target --op update --tid 3 --name MaxConnections --value 2
differs 0 22 --mode target --op update --tid 3 --name ErrorRecoveryLevel --value 1
differs 22 0 --mode target --op update --tid 3 --name InitialR2T --value 0
theirs --mode target --op delete --tid 4

note "redirection, the system, and the end"
same --mode target --op update --tid 2 --name RedirectAddress --value 192.0.2.9
same --mode target --op update --tid 2 --name RedirectPort --value 3260
same --mode target --op update --tid 2 --name RedirectReason --value Permanent
same --mode target --op show --tid 2
same --mode sys --op update --name State --value offline
same --mode sys --op update --name bogus --value 1
same --mode sys --op update --name State --value ready
same --mode portal --op show
for t in 3 2 1; do
	same --mode target --op delete --tid $t
done
same --mode target --op delete --tid 1
same --mode target --op show
same --mode account --op show
note "$calls calls"
