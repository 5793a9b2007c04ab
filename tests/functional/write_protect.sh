#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN is read-only: by the user, by software write protect, by its file.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io iscsi-swp

disk 8M
io "$(url 1)" "write -P 1 0 4k"
session_open s "$(url 1)"
tells s good writefua 0 8 1

adm --mode logicalunit --op update --tid "$tid" --lun 1 --params readonly=1
has "$(show target)" '            Readonly: Yes'
ask s tur			# whatever attention that raises is told here
tells s 'sense 7/2700' write 0 8 2
tells s 'good 1' read 0 8
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params readonly=0
ask s tur
tells s good write 0 8 3

iscsi-swp --swp=on "$(url 1)" >/dev/null
has "$(show target)" '            SWP: Yes'
has "$(iscsi-swp "$(url 1)")" 'SWP:1'
tells s 'sense 6/2a01' tur	# MODE PARAMETERS CHANGED
tells s 'sense 7/2700' write 0 8 4
iscsi-swp --swp=off "$(url 1)" >/dev/null
ask s tur
tells s good write 0 8 5
tells s 'good 5' read 0 8
session_close s
