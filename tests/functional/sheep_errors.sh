#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A sheepdog disk that cannot be opened is refused with one sentence that says why;
# snapshots, by tag and by number, are read-only; tcp and IPv6 addresses, host names.
# timeout: 120
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/sheep.sh"
need qemu-io qemu-img
sheep_need_own 'hypervolumes and addresses of its own'

sheep_start --listen tcp:127.0.0.1:0 --listen 'tcp:[::1]:0'
tgtd_start
target_new
acl_bind "$tid" ALL

# refused TEXT PATH [OPTION...]
refused()
{
	adm_fails 22 "$1" --mode logicalunit --op new --tid "$tid" --lun 1 --bstype sheepdog \
		--backing-store "$2" "${@:3}" 2>/dev/null ||
		fail "$2"
	! show target | grep -qxF '        LUN: 1' || fail "$2: there is a LUN"
}

refused "begins with neither" "$dir/disk"
refused "no name of a VDI" "$sheep_address"
refused "is not a port" tcp:127.0.0.1:70000:disk
refused "is not a port" tcp:127.0.0.1:0:disk
refused "no port after" tcp:127.0.0.1
refused "no ']' after" 'tcp:[::1:7000:disk'
refused "is not a snapshot number" "$sheep_address:disk:4294967296"
refused "a VDI's name has at most" "$sheep_address:$(printf 'a%.0s' {1..256})"
refused "no such VDI" "$sheep_address:nosuch"
refused "no sheep at" "unix:$dir/nobody:disk"
refused "must be shared, exclusive or none" "$sheep_address:disk" --bsopts lock=maybe
refused "must be safe or eager" "$sheep_address:disk" --bsopts failover=quick
refused "host 'no.such.host.invalid'" tcp:no.such.host.invalid:7000:disk
sheep_vdi hyper 64M --hyper
refused "hypervolume" "$sheep_address:hyper"

note 'snapshots'
sheep_vdi disk 16M
head -c 16M /dev/urandom >"$dir/first"
sheep write disk 0 <"$dir/first"
sheep snapshot disk monday
sheep fill disk 0 1M 7
refused "no such snapshot" "$sheep_address:disk:tuesday"
refused "no such snapshot" "$sheep_address:disk:9"
for snapshot in monday 1; do
	sheep_lun "disk:$snapshot"
	io_fails "$(url 1)" 'write -P 1 0 4k'
	qemu-img compare -f raw -F raw "$dir/first" "$(url 1)"
done

note 'addresses'
ports=$(sed -n 's/^listening tcp:.*://p' "$dir/sheep.out" | xargs)
read -r v4 v6 <<<"$ports"
for address in "tcp:127.0.0.1:$v4" "tcp:localhost:$v4" "tcp:[::1]:$v6" \
	"tcp:127.0.0.1:1,[::1]:$v6"; do
	target_new
	lun_new "$tid" 1 "$address:disk" --bstype sheepdog
	acl_bind "$tid" ALL
	io "$(url 1)" 'read -P 7 0 1M'
done
