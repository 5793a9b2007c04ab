#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Changes of the configuration leave running sessions alone, whatever they touch.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
first=$tid
session_open s "$(url 1)"
tells s good check
sessions=$(show conn --tid "$first")
stays()
{
	# A unit attention may have been raised; it is told once.
	ask s tur
	[[ $reply == good || $reply == sense\ 6/* ]] || fail "after $*: $reply"
	tells s good check
	expect "sessions after $*" "$sessions" "$(show conn --tid "$first")"
}

disk 8M
stays "a new target"
adm --mode target --op delete --tid "$tid" --force
stays "a target deleted"
for change in MaxRecvDataSegmentLength=65536 FirstBurstLength=131072 InitialR2T=No \
	ImmediateData=No MaxQueueCmd=4 HeaderDigest=CRC32C nop_interval=7; do
	adm --mode target --op update --tid "$first" --name "${change%%=*}" --value "${change#*=}"
	stays "$change"
	has "$(show target --tid "$first")" "$change"
done
adm --mode target --op bind --tid "$first" --initiator-address 192.0.2.1
stays "an ACL bound"
adm --mode target --op unbind --tid "$first" --initiator-address ALL
stays "an ACL unbound"
adm --mode account --op new --user u --password secret-of-user
adm --mode account --op bind --tid "$first" --user u
stays "an account bound"
adm --mode account --op delete --user u
stays "an account deleted"
adm --mode logicalunit --op update --tid "$first" --lun 1 --params vendor_id=ACME,product_id=Disk
stays "another product"
adm --mode sys --op update --name debug --value on
adm --mode sys --op update --name debug --value off
stays "the debug log"
session_close s
