#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A snapshot that comes between an object and its slot, or at any other step of a
# write: the write is on the disk afterwards, and the snapshot has it whole or not at
# all.  The same with a snapshot that is taken twice, and with the VDI rolled back or
# deleted under an open LUN: no write is acknowledged that goes nowhere.
# timeout: 400
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'requests are held back'

blocks=2048			# of an object
sheep_start --shift 20 --late 1
sheep_vdi disk 64M
head -c 8M /dev/urandom >"$dir/model"
truncate -s 64M "$dir/model"
cp "$dir/model" "$dir/origin"
head -c 8M "$dir/model" | sheep write disk 0
sheep snapshot disk origin >/dev/null
sheep_lun disk --bsopts timeout=20
session_open s "$(url 1)"

held()
{
	sheep_control stat | grep -qx "held $1"
}

# into FILE LBA BLOCKS BYTE
into()
{
	head -c $((512 * $3)) /dev/zero | tr '\0' "\\$(printf %o "$4")" |
		dd of="$1" bs=512 seek="$2" conv=notrunc status=none
}

n=0
# between REQUEST INDEX [TIMES] - snapshots while that request of a write waits, before
# it is executed and (of the next object) after.
between()
{
	local how i tag lba

	for how in hold hold-after; do
		n=$((n + 1))
		lba=$((blocks * ($2 + (n + 1) % 2) + n))
		if [ "$1" = 'write data' ]; then	# the object has to be its own
			tells s good write $((lba + 100)) 1 255
			into "$dir/model" $((lba + 100)) 1 255
		fi
		sheep_control fault "$1 $how"
		cp "$dir/model" "$dir/before"
		printf 'write %s 7 %s\n' $lba $n >&"${session_in[s]}"
		into "$dir/model" $lba 7 $n
		wait_for 20 held 1 || fail "$1 did not come"
		for ((i = 0; i < ${3:-1}; i++)); do
			tag=tag$n.$i
			sheep snapshot disk "$tag" >/dev/null
		done
		sheep_control go
		session_reply s
		expect "write $n, a snapshot while $1 was held" good "$reply"
		sheep compare disk "$dir/model"
		sheep compare "disk:$tag" "$dir/before" 2>/dev/null ||
			sheep compare "disk:$tag" "$dir/model"
		tells s "good $n" read $lba 7
		sheep_control clear
	done
}

between 'write data' 0
between 'create' 2
between 'create' 20			# nothing there
between 'write slots' 4
between 'write slots' 22
between 'read inode' 6			# the look after it
between 'create' 24 3			# and three snapshots
between 'write slots' 26 3
sheep compare disk:origin "$dir/origin"

# Deleted under the LUN: writes go nowhere, and are not acknowledged.
tells s good write 0 8 200
sheep delete disk
for lba in 0 $((blocks * 30)); do
	ask s write $lba 8 201
	[[ $reply == sense* ]] || fail "a write of a deleted VDI: $reply"
done
session_close s
sheep compare disk:origin "$dir/origin"
