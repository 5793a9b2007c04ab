#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN in use is not deleted; with --force it is, and its initiators are told.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

disk 8M
lun_new "$tid" 2 "$(disk_file 8M)"
session_open one "$(url 1)"
session_open two "$(url 2)"
tells one good check
tells two good check

adm_fails 22 'this logical unit is still active' \
	--mode logicalunit --op delete --tid "$tid" --lun 1
has "$(show target)" '        LUN: 1'
tells one good check

adm --mode logicalunit --op delete --tid "$tid" --lun 1 --force
has_not "$(show target)" '        LUN: 1'
tells one 'sense 5/2500' tur
# The other LUN: its list has changed (SPC-4 6.33), nothing else has.
tells two 'sense 6/3f0e' tur
tells two good tur
tells two good check
session_close one

# The same number again is another disk, and it works.
lun_new "$tid" 1 "$(disk_file 8M)"
tells two 'sense 6/3f0e' tur
io "$(url 1)" "read -P 0 0 8M" "write -P 1 0 8M" "read -P 1 0 8M"
session_close two

# Nobody uses it: no force needed.
adm --mode logicalunit --op delete --tid "$tid" --lun 1
adm_fails 22 "can't find the logical unit" --mode logicalunit --op delete --tid "$tid" --lun 1
adm_fails 22 'invalid request' --mode logicalunit --op delete --tid "$tid" --lun 0
