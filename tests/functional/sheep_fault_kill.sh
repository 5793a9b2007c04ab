#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The server dies, or a connection ends, at every point of a write: of an object that
# is there, that is made, or copied from a snapshot, and of their slots.  The write is
# done in the end, and nothing else has changed; nor has the snapshot.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'it is killed'

blocks=2048			# of an object
sheep_start --shift 20
sheep new base 64M >/dev/null
head -c 32M /dev/urandom >"$dir/base"
truncate -s 64M "$dir/base"
head -c 32M "$dir/base" | sheep write base 0
sheep snapshot base origin >/dev/null
sheep clone base:origin disk >/dev/null
cp "$dir/base" "$dir/model"
sheep_lun disk
session_open s "$(url 1)"

# submit LBA BLOCKS BYTE - a write, in the model, too.
submit()
{
	printf 'write %s\n' "$*" >&"${session_in[s]}"
	head -c $((512 * $2)) /dev/zero | tr '\0' "\\$(printf %o "$3")" |
		dd of="$dir/model" bs=512 seek="$1" conv=notrunc status=none
}

# ends REQUEST FAULT INDEX - in a write of that object.
byte=1
ends()
{
	sheep_control fault "$1 $2"
	submit $((blocks * $3 + 5)) 9 $byte
	byte=$((byte + 1))
	if [[ $2 == die-* ]]; then
		sheep_died
		sheep_again --shift 20
	fi
	session_reply s
	expect "the write of object $3, $1 $2" good "$reply"
}

own=0 copied=1 made=33		# objects 0 to 31 are in the snapshot
tells s good write 9 9 255
head -c 4608 /dev/zero | tr '\0' '\377' |
	dd of="$dir/model" bs=512 seek=9 conv=notrunc status=none
for how in die close; do
	for point in before after torn answered; do
		ends 'write data' $how-$point $own
		for request in create 'write slots'; do
			ends "$request" $how-$point $copied
			ends "$request" $how-$point $made
			copied=$((copied + 1)) made=$((made + 1))
		done
		sheep compare disk "$dir/model"
	done
done
sheep compare base:origin "$dir/base"

note 'a slot whose answer was lost is written again: not all replicas may have it'
before=$(sheep_control stat | sed -n 's/^write //p')
ends 'write slots' close-after $made
expect 'writes' 3 $(($(sheep_control stat | sed -n 's/^write //p') - before)) # slot; data, slot
sheep compare disk "$dir/model"
tells s good sync
session_close s
qemu-img compare -f raw -F raw "$dir/model" "$(url 1)"

# In the midst of many.
head -c 64M /dev/urandom >"$dir/model"
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/model" "$(url 1)" &
writer=$!
for n in 3 40 2 77 11; do
	sheep_control fault "any nth=$n die-after"
	wait_for 60 eval "! running $sheep_pid || ! running $writer" || fail 'nothing happens'
	running "$writer" || break
	sheep_died
	sheep_again --shift 20 --reorder "$n"
done
wait "$writer"
sheep_control clear
sheep compare disk "$dir/model"
sheep compare base:origin "$dir/base"
qemu-img compare -f raw -F raw "$dir/model" "$(url 1)"
