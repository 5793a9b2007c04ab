#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Under verified writes an OSD stops for longer than others wait for it, an OSD is killed
# and brought back, and so is the monitor: nothing that was acknowledged is lost, nothing
# fails or hangs longer than the outage, aborts are answered, and a disk that is a file
# goes on meanwhile.  And a cluster that is down when the daemon starts.
# timeout: 420
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"
. "$(dirname "$0")/lib/outage.sh"

ceph_start STORE=bluestore OSDS=2
outage_disks

note "an OSD stops, for longer than its grace of 20 s"
outage 30 stalls 'ceph_signal STOP osd.0' 'ceph_signal CONT osd.0'

note "an OSD is killed, and brought back"
outage 5 stalls 'ceph_signal KILL osd.1' ceph_revive

note "the monitor is killed, and brought back: it is not needed for writing"
outage 5 goes-on 'ceph_signal KILL mon.a' ceph_revive

note "all of it is killed, and brought back"
outage 5 stalls 'ceph_signal KILL mon.a osd.0 osd.1' ceph_revive

note "the cluster is down when the daemon starts, and comes then"
tgtd_stop
ceph_signal KILL mon.a osd.0 osd.1
tgtd_start
target_new
acl_bind "$tid" ALL
mons=$(sed -n 's/^mon host = //p' "$ceph_conf")
lun_new "$tid" 2 "$(disk_file 16M)" --bstype rdwr
adm_fails 22 "rbd disk: cannot reach the monitors $mons in 3 s" --mode logicalunit --op new \
	--tid "$tid" --lun 1 --bstype rbd --backing-store disk --bsopts "$ceph_opts;timeout=3"
io "$(url 2)" 'write -P 9 0 1M' 'read -P 9 0 1M'
ceph_revive
lun_new "$tid" 1 disk --bstype rbd --bsopts "$ceph_opts"
io "$(url 1)" 'write -P 9 0 1M' 'read -P 9 0 1M'
