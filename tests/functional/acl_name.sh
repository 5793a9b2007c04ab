#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Who may log in, by initiator name.
. "$(dirname "$0")/lib/initiators.sh"

friend=iqn.2001-04.org.example:friend
disk 8M
adm --mode target --op unbind --tid "$tid" --initiator-address ALL
adm --mode target --op bind --tid "$tid" --initiator-name "$friend"
has "$(show target)" "        $friend"
logs_in "$(url 1)" --initiator-name "$friend"
refuses_login "$(url 1)" "it has another name" --initiator-name "${friend}2"
refuses_login "$(url 1)" "it has another name" --initiator-name "${friend%d}"
adm_fails 22 'this access control rule already exists' \
	--mode target --op bind --tid "$tid" --initiator-name "$friend"
adm --mode target --op unbind --tid "$tid" --initiator-name "$friend"
refuses_login "$(url 1)" "nothing is bound" --initiator-name "$friend"
