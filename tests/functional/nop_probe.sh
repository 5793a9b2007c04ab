#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With nop_interval set, an initiator that answers nothing is thrown out; one that
# answers stays.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
adm --mode target --op update --tid "$tid" --name nop_interval --value 1
adm --mode target --op update --tid "$tid" --name nop_count --value 2
session_open live "$(url 1)" iqn.2001-04.org.example:live
session_open dead "$(url 1)" iqn.2001-04.org.example:dead
kill -STOP "${session_pid[dead]}"
only_live()
{
	! show conn --tid "$tid" | grep -q ':dead$'
}
wait_for 30 only_live || fail "the dead session stays"
tells live good check
kill -CONT "${session_pid[dead]}"
tells dead lost tur
session_forget dead
session_close live
