#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN whose store hangs can be deleted by force; the daemon does not wait for it
# to answer others, and the delete is done when the store is closed.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

error_disk 8M 'op=write;hang=yes'
disk=$(show target | sed -n 's/^ *Backing store path: [a-z]*://p')
touch "$rules_on"
lun_new "$tid" 2 "$(disk_file 8M)"
session_open two "$(url 2)"
qemu-io -f raw -c 'aio_write -q -P 1 0 1M' -c aio_flush "$(url 1)" >"$dir/io.out" 2>&1 &
writer=$!
# Writes submitted and not done (columns 9 and 11).
on_their_way()
{
	"$TGTADM" --op stat --mode lu --tid "$tid" --lun 1 |
		awk 'NR > 1 && $9 > $11 {yes = 1} END {exit !yes}'
}
wait_for 20 on_their_way || fail "no write is on its way"

adm --mode logicalunit --op delete --tid "$tid" --lun 1 --force &
deleter=$!
wait_for 10 eval '! show target | grep -qxF "        LUN: 1"' ||
	fail "the LUN is still there"
ask two tur
tells two good check
show system >/dev/null
rm "$rules_on"
wait_for 20 eval "! running $deleter" || fail "the delete does not end"
wait "$deleter"
! find "/proc/$tgtd_pid/fd" -lname "$disk" | grep -q . || fail "the store is still open"
wait_for 30 eval "! running $writer" || fail "the initiator hangs"
wait "$writer" || :
tells two good check
session_close two
