#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Initiators die in the midst of everything; others keep their sessions and their data.
# timeout: 180
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io iscsi-perf

disk 64M
lun_new "$tid" 2 "$(disk_file 16M)"
session_open s "$(url 2)"
sessions=$(show conn --tid "$tid")
for round in $(seq 12); do
	pids=()
	for _ in 1 2 3; do
		qemu-io -f raw -t none -c 'aio_write -q -P 1 0 16M' -c 'aio_read -q 0 32M' \
			-c 'aio_write -q -P 2 16M 16M' -c aio_flush -c 'aio_write -q 0 32M' \
			-c 'aio_read -q 0 32M' -c aio_flush "$(url 1)" >/dev/null 2>&1 &
		pids+=($!)
	done
	iscsi-perf -m 64 -b 16 -t 30 -r "$(url 1)" >/dev/null 2>&1 &
	pids+=($!)
	logged_in()
	{
		[ "$(nr_sessions "$tid")" -ge 3 ]
	}
	# Some die at once, some after login, some later.
	case $((round % 4)) in
	0) ;;
	1) wait_for 10 logged_in || : ;;
	*) wait_for 10 logged_in || :
	   tells s good check
	   tells s good check ;;
	esac
	kill -KILL "${pids[@]}" 2>/dev/null || :
	wait "${pids[@]}" 2>/dev/null || :
	tells s good check
done
gone()
{
	[ "$(show conn --tid "$tid")" = "$sessions" ]
}
wait_for 20 gone || fail "sessions of the dead: $(show conn --tid "$tid")"
session_close s
io "$(url 1)" "write -P 9 0 32M" "read -P 9 0 32M"
