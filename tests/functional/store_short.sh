#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A store that does half of a request: never GOOD, and the rest still works.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

error_disk 8M 'op=read+write;short=yes'
session_open s "$(url 1)"
tells s good write 0 64 1
touch "$rules_on"
ask s write 64 64 2
[[ $reply == sense\ * ]] || fail "half a write: $reply"
ask s read 0 64
[[ $reply == sense\ * ]] || fail "half a read: $reply"
rm "$rules_on"
tells s 'good 1' read 0 64
tells s good check
session_close s
