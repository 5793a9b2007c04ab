#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The sheep is killed, time and again, while the disk and a clone of it are written, and
# comes back: no command fails, nothing is lost, and the clone's base stays as it was.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_kill
sheep_need_module

sheep_start --shift 20
sheep_vdi base 32M --shift 20
base=$vdi
head -c 32M /dev/urandom >"$dir/base"
head -c 20M "$dir/base" | sheep write "$base" 0
truncate -s 20M "$dir/base"
truncate -s 32M "$dir/base"
sheep snapshot "$base" origin >/dev/null
sheep clone "$base:origin" "$base-clone" >/dev/null
tgtd_start --reactors 2
target_new
for name in "$base" "$base-clone"; do
	lun=$((${lun:-0} + 1))
	lun_new "$tid" "$lun" "$sheep_address:$name" --bstype sheepdog --bsopts timeout=120
done
acl_bind "$tid" ALL

for round in 1 2 3; do
	for lun in 1 2; do
		head -c 32M /dev/urandom >"$dir/model.$lun"
		qemu-img convert -n -W -m 16 -f raw -O raw "$dir/model.$lun" "$(url $lun)" &
		writers[lun]=$!
	done
	for ((n = 0; n < round; n++)); do
		sheep_kill
		sheep_again
		if ! running "${writers[1]}" && ! running "${writers[2]}"; then
			break
		fi
	done
	for lun in 1 2; do
		wait "${writers[lun]}" || fail "round $round: a write of LUN $lun has failed"
		qemu-img compare -f raw -F raw "$dir/model.$lun" "$(url $lun)"
	done
	sheep compare "$base" "$dir/model.1"
	sheep compare "$base-clone" "$dir/model.2"
	sheep compare "$base:origin" "$dir/base"
done
