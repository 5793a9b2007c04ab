#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A target with sessions is not deleted; with --force it is, and they end.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
other_tid=$tid other=$(url 1)
disk 8M
session_open s "$(url 1)"
session_open o "$other"
adm_fails 22 'this target is still active' --mode target --op delete --tid "$tid"
tells s good check
adm --mode target --op delete --tid "$tid" --force
adm_fails 22 "can't find the target" --mode target --op show --tid "$tid"
tells s lost tur
session_forget s
refuses_login "$(url 1)" "its target is deleted"
tells o good check
session_close o
adm --mode target --op delete --tid "$other_tid"
expect "targets left" "" "$(show target)"
# The name and number are free again.
adm --mode target --op new --tid "$tid" --targetname "$iqn"
