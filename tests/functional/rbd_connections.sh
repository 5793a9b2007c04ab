#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Many images have one connection between them, and no threads of their own; another user
# has another connection; a connection goes with the last of its disks.
# timeout: 180
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

LUNS=40
ceph_start
ceph_stores
ceph_user other mon 'profile rbd' osd 'profile rbd pool=rbd'
tgtd_start
target_new
acl_bind "$tid" ALL

threads()
{
	find "/proc/$tgtd_pid/task" -mindepth 1 -maxdepth 1 | wc -l
}
# Connections of this daemon to the monitor.
to_monitor()
{
	local port

	port=$(sed -n 's/^ *mon host *=.*:\([0-9]*\)\].*/\1/p' "$ceph_conf")
	ss -Htnp state established "dport = :$port" | grep -c "pid=$tgtd_pid," || :
}

without=$(threads)
image=$(ceph_image 16M)
lun_new "$tid" 1 "$image"
io "$(url 1)" 'write -P 1 0 4k'
one=$(threads)
for ((n = 2; n <= LUNS; n++)); do
	image=$(ceph_image 16M)
	lun_new "$tid" "$n" "$image"
	io "$(url "$n")" "write -P $n 0 4k" "read -P $n 0 4k"
done
many=$(threads)
note "threads: $without, with an image $one, with $LUNS $many"
[ "$many" -le $((one + 4)) ] || fail "$LUNS images have $((many - one)) threads more than one"
expect 'connections of 40 images' 1 "$(to_monitor)"

lun_new "$tid" 100 "$image" --bsopts "conf=$ceph_conf;id=other"
expect 'connections of two users' 2 "$(to_monitor)"
adm --mode logicalunit --op delete --tid "$tid" --lun 100
expect 'connections when one is gone' 1 "$(to_monitor)"
for ((n = 1; n <= LUNS; n++)); do
	adm --mode logicalunit --op delete --tid "$tid" --lun "$n" --force
done
expect 'connections when all are gone' 0 "$(to_monitor)"
expect 'threads when all are gone' "$without" "$(threads)"
