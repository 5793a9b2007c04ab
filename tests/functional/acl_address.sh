#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Who may log in, by address: nobody as long as nothing is bound, then what matches.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M			# binds ALL
logs_in "$(url 1)"
adm --mode target --op unbind --tid "$tid" --initiator-address ALL
refuses_login "$(url 1)" "nothing is bound"

for rule in 127.0.0.1 127.0.0.0/8 127.0.0.0/31 0.0.0.0/0 ALL; do
	acl_bind "$tid" "$rule"
	has "$(show target)" "        $rule"
	logs_in "$(url 1)"
	adm --mode target --op unbind --tid "$tid" --initiator-address "$rule"
	refuses_login "$(url 1)" "$rule is unbound"
done
for rule in 127.0.0.2 192.0.2.0/24 127.0.0.2/31 ::1 2001:db8::/32; do
	acl_bind "$tid" "$rule"
	refuses_login "$(url 1)" "only $rule is bound"
	adm --mode target --op unbind --tid "$tid" --initiator-address "$rule"
done
for rule in not.an.ip 127.0.0.1/33 127.0.0.256 ::1/129 '' 127.0.0.0/ 'ALL '; do
	if acl_bind "$tid" "$rule" 2>/dev/null; then
		fail "the rule '$rule' was taken"
	fi
done
