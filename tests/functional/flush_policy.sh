#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# When the store is asked to flush: WCE=0 for each write, FUA, SYNCHRONIZE CACHE; and a
# failed flush is never GOOD.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need strace qemu-io

# syscalls FILE - those that make data durable, since the last call.
disk 8M
file=$(echo "$dir"/disk.*)
strace -f -y -o "$dir/trace" -p "$tgtd_pid" \
	-e trace=pwritev2,pwritev,pwrite64,io_submit,fsync,fdatasync,sync_file_range 2>"$dir/strace.err" &
tracer=$!
attached()
{
	! running "$tracer" || grep -q attached "$dir/strace.err"
}
wait_for 20 attached
running "$tracer" || skip "strace: $(tail -n 1 "$dir/strace.err")"

durable()
{
	# strace writes what it has once the call is over: poll for the write.
	wait_for 10 grep -qE "(pwrite|PWRITE).*$file" "$dir/trace" || return 1
	grep -qE "RWF_DSYNC|RWF_SYNC|(fsync|fdatasync)\([0-9]+<$file>" "$dir/trace"
}
synced()
{
	grep -qE "(fsync|fdatasync)\([0-9]+<$file>" "$dir/trace"
}
forget()
{
	: >"$dir/trace"
}

session_open s "$(url 1)"
forget
tells s good write 0 8 1
! durable || fail "WCE=1: a plain write was synced: $(cat "$dir/trace")"
forget
tells s good writefua 8 8 2
durable || fail "FUA was not synced: $(cat "$dir/trace")"
forget
tells s good sync
wait_for 10 synced || fail "SYNCHRONIZE CACHE did nothing: $(cat "$dir/trace")"

# WCE off, as write-cache off in targets.conf sets it.
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params \
	mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0
ask s tur
forget
tells s good write 16 8 3
durable || fail "WCE=0: a write was not synced: $(cat "$dir/trace")"
ask s cdb 1a0008001800 24
[[ $reply == good\ * ]] || fail "MODE SENSE: $reply"
session_close s
kill "$tracer"
wait "$tracer" 2>/dev/null || :

# MODE SELECT changes the behaviour as well, and back: a store that cannot
# flush tells the two apart.
error_disk 8M 'op=flush;error=EIO'
touch "$rules_on"
session_open s "$(url 1)"
tells s good write 0 8 1
ask s sync
[[ $reply == sense\ * ]] || fail "SYNCHRONIZE CACHE of a store that cannot: $reply"
session_close s
