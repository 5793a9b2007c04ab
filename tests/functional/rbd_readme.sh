#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# doc/README.rbd: every message that it quotes is one that is really said.
# slow
. "$(dirname "$0")/../lib/common.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=memstore
rbd create --size 16M disk1
rbd create --size 16M --image-feature layering plain
ceph osd pool create other 2>/dev/null
mons=$(sed -n 's/^mon host = //p' "$ceph_conf")
printf '[client.absent]\n\tkey = AQDhS+BmAAAAABAAwMEzWjGnS5tKZ3nQ0cIOVA==\n' \
	>"$ceph_dir/client.absent.keyring"
tgtd_start
target_new

# said IMAGE BSOPTS - put down what is said of it, with the document's names for things.
said()
{
	local err code=0

	err=$(adm --mode logicalunit --op new --tid "$tid" --lun 2 --bstype rbd \
		--backing-store "$1" --bsopts "$2" 2>&1) || code=$?
	expect "exit for $1 ($2)" 22 "$code"
	err=${err//"$mons"/192.0.2.1}
	err=${err//127.0.0.1:1/192.0.2.9}
	err=${err//"$ceph_dir"//etc/ceph}
	printf '%s\n' "$err" | sed 's/is locked by .*/is locked by CLIENT/' >>"$dir/said"
}

as=conf=$ceph_conf
said disk9 "$ceph_opts"
said nowhere/disk1 "$ceph_opts"
said rbd/crew/disk1 "$ceph_opts"
said disk1@friday "$ceph_opts"
said other/disk1 "$ceph_opts"
said disk1 "$as;id=backup"
said disk1 "$as;id=absent"
said disk1 "conf=$ceph_dir/backup.conf"
said disk1 "$ceph_opts;timeout=2;override=mon_host=127.0.0.1:1"
said disk1 "$ceph_opts;lock=none"
said plain "$ceph_opts;lock=exclusive"
lun_new "$tid" 1 disk1 --bstype rbd --bsopts "$ceph_opts;lock=exclusive"
said disk1 "$ceph_opts;lock=exclusive;timeout=5"
adm --mode logicalunit --op delete --tid "$tid" --lun 1
ceph_signal STOP osd.0
said disk1 "$ceph_opts;timeout=2"
ceph_signal CONT osd.0

sed -n '/^## Troubleshooting/,$ s/^    //p' "$SRC/doc/README.rbd" >"$dir/quoted"
[ "$(wc -l <"$dir/quoted")" -gt 10 ] || fail "what does it quote? $(cat "$dir/quoted")"
while read -r line; do
	grep -qF -e "$line" "$dir/said" ||
		fail "the document has '$line', and this was said: $(cat "$dir/said")"
done <"$dir/quoted"
