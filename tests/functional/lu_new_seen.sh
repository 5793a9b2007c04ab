#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN that is added shows up in running sessions, after the unit attention.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
session_open s "$(url 1)"
tells s good tur
lun_new "$tid" 5 "$(disk_file 8M)"
tells s 'sense 6/3f0e' tur
tells s good tur
ask s cdb 'a00000000000000001000000' 256
[[ $reply == good\ 00000018????????0000000000000000000100000000000000050000000000* ]] ||
	fail "REPORT LUNS: $reply"
session_close s
