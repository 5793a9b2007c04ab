#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A portal of IPv6: discovery names it in brackets, I/O works over it.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io iscsi-ls

grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || skip "this machine has no ::1"
tgtd_start --iscsi 'portal=[::1]:0'
[[ $portal == '[::1]:'* ]] || fail "portal show says $portal"
target_new
lun_new "$tid" 1 "$(disk_file 8M)"
acl_bind "$tid" ALL
found=$(iscsi-ls "iscsi://$portal")
[[ $found == *"Target:$iqn Portal:$portal,1"* ]] || fail "discovery says $found"
io "$(url 1)" "write -P 6 0 1M" "read -P 6 0 1M"
session_open s "$(url 1)"
has "$(show conn --tid "$tid")" '        IP Address: ::1'
session_close s

adm --mode target --op unbind --tid "$tid" --initiator-address ALL
for rule in ::1 ::/64 ::0/0; do
	acl_bind "$tid" "$rule"
	logs_in "$(url 1)"
	adm --mode target --op unbind --tid "$tid" --initiator-address "$rule"
done
for rule in ::2 2001:db8::/32 127.0.0.1 0.0.0.0/0; do
	acl_bind "$tid" "$rule"
	refuses_login "$(url 1)" "only $rule is bound"
	adm --mode target --op unbind --tid "$tid" --initiator-address "$rule"
done
