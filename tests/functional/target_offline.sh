#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A target that is offline lets nobody in and answers NOT READY; ready again it goes on.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
session_open s "$(url 1)"
adm --mode target --op update --tid "$tid" --name state --value offline
has "$(show target)" '        State: offline'
ask s tur
[[ $reply == sense\ 2/04* ]] || fail "offline: $reply"
refuses_login "$(url 1)" "the target is offline"
adm --mode target --op update --tid "$tid" --name state --value ready
has "$(show target)" '        State: ready'
ask s tur
[[ $reply == good || $reply == sense\ 6/* ]] || fail "ready again: $reply"
tells s good check
session_close s
logs_in "$(url 1)"
