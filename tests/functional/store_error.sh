#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Errors of a store become the right sense data, and nothing but the command suffers.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

# sense of: error, operation that meets it
for row in 'EIO write 4/4400|3/0c00' 'EIO read 4/4400|3/1100' 'ENODATA read 3/1100' \
	'ENOSPC write 7/2707' 'EROFS write 7/2700' 'EIO flush 4/4400|3/0c00' \
	'ETIMEDOUT read b/2e01'; do
	read -r error op sense <<<"$row"
	error_disk 8M "op=$op;error=$error"
	session_open s "$(url 1)"
	tells s good check
	touch "$rules_on"
	case $op in
	read) ask s read 0 8 ;;
	write) ask s write 0 8 1 ;;
	flush) ask s sync ;;
	esac
	[[ $reply =~ ^sense\ ($sense)$ ]] || fail "$error at $op: $reply, expected sense $sense"
	tells s good tur
	rm "$rules_on"
	tells s good check
	session_close s
	adm --mode target --op delete --tid "$tid" --force
done

# What a whole initiator makes of it.
error_disk 8M 'op=write+read;at=1048576;len=4096;error=EIO'
touch "$rules_on"
io_fails "$(url 1)" "write -P 1 1M 4k"
grep -q 'Input/output error' "$dir/io.out" || fail "QEMU said $(cat "$dir/io.out")"
io_fails "$(url 1)" "read 512k 1M"
io "$(url 1)" "write -P 1 0 1M" "read -P 1 0 1M" "write -P 1 1052672 1M"
