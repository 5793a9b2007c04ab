#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Unbinding closes the door; who is inside stays.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
session_open s "$(url 1)"
adm --mode target --op unbind --tid "$tid" --initiator-address ALL
refuses_login "$(url 1)" "nothing is bound"
tells s good check
expect "sessions" 1 "$(nr_sessions "$tid")"
session_close s
