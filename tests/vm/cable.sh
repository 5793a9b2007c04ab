#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The network of the portal is cut during verified writes, until the initiator has found
# out, and joined again: no error, no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
guest_start
writes_start "$here_1:3260"
for _ in 1 2; do
	link_cut 1
	guest <<<'wait_for 60 eval "! grep -q LOGGED_IN /sys/class/iscsi_session/*/state"'
	link_join 1
	writes_go_on
done
writes_end 2
guest_end
