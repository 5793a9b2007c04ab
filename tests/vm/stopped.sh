#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtd stands still for 20 s, longer than the initiator's pings allow, during verified
# writes: no error, no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
guest_start
writes_start "$here_1:3260"
kill -STOP "$tgtd_pid"
sleep 20			# this is the test, and no wait
kill -CONT "$tgtd_pid"
writes_go_on
writes_end
guest_end
