#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A disk grows and shrinks while it is used: sessions are told, see the new size
# without a login, and what lies beyond a smaller end is refused.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-img qemu-io

disk 64M
file=$(echo "$dir"/disk.*)
read_capacity_16=9e100000000000000000000000200000

size()
{
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params "$1"
}

# sees NAME BYTES - the session is told once, then its capacity is that.
sees()
{
	local last

	printf -v last %016x $(($2 / 512 - 1))
	tells "$1" "sense 6/2a09" tur
	tells "$1" good tur
	ask "$1" cdb "$read_capacity_16" 32
	[[ $reply == "good $last"* ]] || fail "session $1: $reply, not $last"
}

both_see()
{
	sees one "$1"
	sees two "$1"
	expect "qemu-img" "$1" "$(qemu-img info --output=json "$(url 1)" |
		sed -n 's/.*"virtual-size": \([0-9]*\),*/\1/p' | head -n 1)"
}

told_nothing()
{
	tells one good tur
	tells two good tur
}

for s in one two; do
	session_open "$s" "$(url 1)"
done
M=$((1 << 20))

note "the file grows"
told_nothing
truncate -s 96M "$file"
told_nothing
tells one "sense 5/2100" read $((64 * 2048)) 1
size size=auto
both_see $((96 * M))
tells one good write $((96 * 2048 - 8)) 8 65
tells two "good 65" read $((96 * 2048 - 8)) 8
size size=auto
told_nothing

note "less than the store has, as forks of tgt say it"
size bsopts=size=$((32 * M))
both_see $((32 * M))
tells one "sense 5/2100" read $((32 * 2048)) 1
tells one "sense 5/2100" write $((32 * 2048 - 1)) 2 66
tells one good write $((32 * 2048 - 1)) 1 66
truncate -s 128M "$file"
size size=48M
both_see $((48 * M))
size disksize=auto
both_see $((128 * M))
tells two "good 65" read $((96 * 2048 - 8)) 8
tells two "good 66" read $((32 * 2048 - 1)) 1

note "what cannot be"
adm_fails 22 "has only $((128 * M)) bytes: make it larger" --mode logicalunit --op update \
	--tid "$tid" --lun 1 --params "size=129M"
adm_fails 22 "not whole blocks of 512" --mode logicalunit --op update \
	--tid "$tid" --lun 1 --params "size=1000"
adm_fails 22 "must be 'auto'" --mode logicalunit --op update \
	--tid "$tid" --lun 1 --params "size=0"
adm_fails 22 "only size=BYTES" --mode logicalunit --op update \
	--tid "$tid" --lun 1 --params "bsopts=x=1"
# All of it or nothing.
adm_fails 22 "has only" --mode logicalunit --op update \
	--tid "$tid" --lun 1 --params "readonly=1,size=1T"
tells one good write 0 1 67
truncate -s 100 "$file"
adm_fails 22 "less than one block" --mode logicalunit --op update \
	--tid "$tid" --lun 1 --params "size=auto"
told_nothing

note "the file shrinks"
truncate -s 16M "$file"
size size=auto
both_see $((16 * M))
tells one "sense 5/2100" write $((16 * 2048)) 1 68
expect "size of the file" $((16 * M)) "$(stat -c %s "$file")"

note "a size and another parameter at once"
truncate -s 20M "$file"
size "readonly=1,size=auto"
ask one tur
ask two tur
tells one "sense 6/2a01" tur
tells two "sense 6/2a01" tur
tells one "sense 7/2700" write 0 1 69
session_close one
session_close two

note "other ways to a file"
for bstype in aio uring; do
	adm --mode system --op show | grep -qx "    $bstype.*" || continue
	truncate -s 8M "$dir/$bstype.img"
	lun_new "$tid" 3 "$dir/$bstype.img" --bstype "$bstype"
	truncate -s 9M "$dir/$bstype.img"
	adm --mode logicalunit --op update --tid "$tid" --lun 3 --params size=auto
	expect "$bstype" $((9 * M)) "$(qemu-img info --output=json "$(url 3)" |
		sed -n 's/.*"virtual-size": \([0-9]*\),*/\1/p' | head -n 1)"
	adm --mode logicalunit --op delete --tid "$tid" --lun 3
done

note "a store that does not tell"
adm --mode logicalunit --op new --tid "$tid" --lun 2 --bstype null --bsopts size=64M
adm_fails 22 "does not tell its size" --mode logicalunit --op update --tid "$tid" --lun 2 \
	--params size=auto
adm --mode logicalunit --op update --tid "$tid" --lun 2 --params size=32M
adm_fails 22 "has only" --mode logicalunit --op update --tid "$tid" --lun 2 --params size=65M
