#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The cluster that other tests use: it asks for keys, its client may use one pool only,
# it keeps what it stored when its daemons are killed, and nothing of it is left.
# timeout: 240
# slow
. "$(dirname "$0")/../lib/common.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=bluestore OSDS=2

note "data comes back"
head -c 5000000 /dev/urandom >"$dir/data"
rbd import "$dir/data" image
rbd export image "$dir/back"
cmp "$dir/data" "$dir/back"
expect images image "$(rbd ls)"

note "keys are asked for, and client.tgt has the pool rbd only"
ceph osd pool create other 2>/dev/null
rbd create --size 1M other/image 2>/dev/null && fail "client.tgt may use another pool"
sed 's/key = .*/key = AQBIOZZp7gcBIxAAXCGhnQh3ZLkkYx4pGoXJFw==/' \
	"$ceph_dir/client.tgt.keyring" >"$dir/wrong.keyring"
rbd -k "$dir/wrong.keyring" ls >/dev/null 2>&1 && fail "a wrong key is taken"

note "killed and brought back, it has what it had"
ceph_signal KILL mon.a osd.0 osd.1
ceph_revive
rbd export image "$dir/back2"
cmp "$dir/data" "$dir/back2"

note "what came while its OSDs stood still is answered, though leases would be over"
for osd in 0 1; do
	# What a lease is a multiple of.
	ceph --admin-daemon "$ceph_dir/run/osd.$osd.asok" config set osd_heartbeat_grace 1 >/dev/null
done
ceph osd pool create many 64 2>/dev/null
: >"$dir/bench"
timeout 120 rados -c "$ceph_conf" -p many bench 18 write -t 256 -b 512 --no-cleanup \
	>"$dir/bench" 2>&1 &
bench=$!
under_way()
{
	[ "$(grep -c '^ *[0-9]' "$dir/bench")" -gt 1 ]
}
wait_for 20 under_way
for _ in {1..10}; do
	ceph_signal STOP osd.0 osd.1
	sleep 1
	ceph_signal CONT osd.0 osd.1
	sleep 0.5
done
wait "$bench" || fail "$(tail -n 3 "$dir/bench"; ceph_waits)"

note "ending it ends all of it, a daemon that is stopped too, and nothing else"
pids=$(cat "$ceph_dir"/run/*.pid)
expect daemons 3 "$(wc -w <<<"$pids")"
ceph_signal STOP osd.1
ceph_end
for pid in $pids; do
	! running "$pid" || fail "$pid still runs"
done
