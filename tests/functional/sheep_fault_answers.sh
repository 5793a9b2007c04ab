#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Answers that make no sense (of another request, of another kind, too short, too
# long), that come late, and connections that end all the time: every command is done
# in the end, with the right data.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'its answers are wrong'

sheep_start --shift 20
sheep_vdi disk 64M
head -c 64M /dev/urandom >"$dir/model"
sheep_lun disk
head -c 24M "$dir/model" >"$dir/part"
qemu-img convert -n -f raw -O raw "$dir/part" "$(url 1)"

# Reads, creates, writes, slots: each once more, from the beginning.
session_open s "$(url 1)"
index=30
for wrong in id op long short; do
	for request in 'read data' 'write data' create 'write slots' 'read inode'; do
		[[ $wrong != short || $request == 'read data' ]] || continue
		sheep_control fault "$request mangle=$wrong"
		tells s good write $((2048 * index)) 8 $index
		tells s good write $((2048 * index)) 8 $index
		tells s "good $index" read $((2048 * index)) 8
		sheep_control clear
		index=$((index + 1))
	done
done
tells s alive alive
session_close s

# A connection ends with every 150th request, before or after it was executed; some
# answers come late.
sheep_kill
sheep_again --shift 20 --reorder 3
for ((n = 150; n <= 1500; n += 300)); do
	sheep_control fault "any nth=$n close-after"
	sheep_control fault "any nth=$((n + 150)) close-before"
	sheep_control fault "any nth=$((n + 20)) count=3 delay=300"
done
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/model" "$(url 1)"
sheep compare disk "$dir/model"
for _ in 1 2; do
	qemu-img convert -m 16 -W -f raw -O raw "$(url 1)" "$dir/back"
	cmp "$dir/back" "$dir/model"
done
