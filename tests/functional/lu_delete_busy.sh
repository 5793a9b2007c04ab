#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Deleting a LUN by force while it is written to: the command returns when the store
# is closed, and the daemon and the other LUN go on.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

written()
{
	[ "$(stat -c %b "$file")" -gt 0 ]
}

disk 64M
file=$(echo "$dir"/disk.*)
lun_new "$tid" 2 "$(disk_file 8M)"
session_open two "$(url 2)"
for round in 1 2 3; do
	# qemu-io waits for its requests, so the loop always has some in flight.
	qemu-io -f raw -c 'aio_write -q -P 1 0 16M' -c 'aio_write -q -P 1 16M 16M' \
		-c 'aio_write -q -P 1 32M 16M' -c 'aio_write -q -P 1 48M 16M' -c aio_flush \
		"$(url 1)" >"$dir/io.out" 2>&1 &
	writer=$!
	wait_for 20 written || fail "nothing is written"
	adm --mode logicalunit --op delete --tid "$tid" --lun 1 --force
	if find "/proc/$tgtd_pid/fd" -lname "$file" | grep -q .; then
		fail "round $round: the store is still open"
	fi
	wait_for 30 eval "! running $writer" || fail "round $round: the initiator hangs"
	wait "$writer" || :
	ask two tur
	tells two good check
	truncate -s 0 "$file"
	truncate -s 64M "$file"
	lun_new "$tid" 1 "$file"
	ask two tur
done
session_close two
