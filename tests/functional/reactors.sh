#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# One reactor or several: the number of threads is as asked for, and sessions on
# different reactors see the same disk.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

nr_threads()
{
	find "/proc/$tgtd_pid/task" -mindepth 1 -maxdepth 1 | wc -l
}

tgtd_start --reactors 1 --nr_iothreads 2
one=$(nr_threads)
tgtd_stop
tgtd_start --reactors 5 --nr_iothreads 2
expect "threads more with 5 reactors" 4 $(($(nr_threads) - one))
disk 8M
for i in 1 2 3 4 5 6 7; do
	session_open "s$i" "$(url 1)" "iqn.2001-04.org.example:$i"
done
for i in 1 2 3 4 5 6 7; do
	tells "s$i" good write $((i * 8)) 8 "$i"
done
for i in 1 2 3 4 5 6 7; do
	for j in 1 2 3 4 5 6 7; do
		tells "s$i" "good $j" read $((j * 8)) 8
	done
done
for i in 1 2 3 4 5 6 7; do
	session_close "s$i"
done
for wrong in 0 257 x -1; do
	code=0
	timeout 10 "$TGTD" -f -C 9 --reactors "$wrong" --iscsi portal=127.0.0.1:0 \
		>"$dir/out" 2>&1 || code=$?
	case $code in
	0|124) fail "--reactors $wrong: exit $code" ;;
	esac
	[ -s "$dir/out" ] || fail "--reactors $wrong: not a word"
done
