#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A pool with two copies of everything, under verified writes: an OSD stops for longer than
# its lease, both stop for longer than the watch of an image lasts, and one is killed, in
# whose place the other goes on.
# timeout: 420
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"
. "$(dirname "$0")/lib/outage.sh"

ceph_start STORE=bluestore OSDS=2 COPIES=2
outage_disks

note "an OSD stops, for longer than its lease of 16 s"
outage 20 stalls 'ceph_signal STOP osd.0' 'ceph_signal CONT osd.0'

note "both stop, for longer than the 30 s after which a watch is over"
outage 34 stalls 'ceph_signal STOP osd.0 osd.1' 'ceph_signal CONT osd.0 osd.1'

note "an OSD is killed: the other goes on with what it has"
outage 20 goes-on 'ceph_signal KILL osd.1' ceph_revive
