#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm --op stat: the columns, and that they count what was done.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

lun_head='tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) wr_subm(bytes,cmds) wr_done(bytes,cmds) errs'
conn_head='sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus rsp_pdus'

disk 8M
session_open s "$(url 1)"
sid=$(show conn --tid "$tid" | sed -n 's/^Session: //p')
tells s good write 0 16 1
tells s good write 16 16 1
tells s 'good 1' read 0 32
ask s read 999999999 1
[[ $reply == sense\ 5/2100 ]] || fail "a read past the end: $reply"

row=$(printf '%3d %3d %3d %12u %6u %12u %6u %12u %6u %12u %6u %4u' \
	"$tid" 1 "$sid" 16384 1 16384 1 16384 2 16384 2 1)
for level in "sys" "target --tid $tid" "lu --tid $tid --lun 1" "sess --tid $tid --sid $sid"; do
	# shellcheck disable=SC2086	# words
	out=$("$TGTADM" --op stat --mode $level)
	expect "first line of $level" "$lun_head" "$(head -n 1 <<<"$out")"
	# An error may count the command as submitted, or not.
	got=$(grep -E "^ +$tid +1 +$sid " <<<"$out") || fail "$level: no row for LUN 1: $out"
	expect "length of a row of $level" ${#row} ${#got}
	read -r _ _ _ rsb rsc rdb rdc wsb wsc wdb wdc errs <<<"$got"
	expect "reads done" "16384 1" "$rdb $rdc"
	expect "writes" "16384 2 16384 2" "$wsb $wsc $wdb $wdc"
	expect "errors" 1 "$errs"
	if [ "$rsb" -lt "$rdb" ] || [ "$rsc" -lt "$rdc" ]; then
		fail "fewer reads submitted than done: $got"
	fi
done

sess=$("$TGTADM" --op stat --mode sess --tid "$tid" --sid "$sid")
expect "LUNs of the session, descending" "1 0" \
	"$(awk 'NR > 1 && NF == 12 {print $2}' <<<"$sess" | paste -sd' ')"
grep -q '^$' <<<"$sess" || fail "no empty line between the tables: $sess"
has "$sess" "$conn_head"
conn=$("$TGTADM" --op stat --mode conn --tid "$tid" --sid "$sid" --cid 0)
expect "first line of conn" "$conn_head" "$(head -n 1 <<<"$conn")"
read -r s c rx tx out_pdus in_pdus cmds rsps <<<"$(sed -n 2p <<<"$conn")"
expect "sid and cid" "$sid 0" "$s $c"
[ "$rx" -ge 16384 ] || fail "rxdata_octets: $rx"
[ "$tx" -ge 16384 ] || fail "txdata_octets: $tx"
if [ "$cmds" -lt 4 ] || [ "$in_pdus" -lt 1 ] || [ "$rsps" -lt 1 ] || [ "$out_pdus" -lt 0 ]; then
	fail "counters: $conn"
fi
session_close s
