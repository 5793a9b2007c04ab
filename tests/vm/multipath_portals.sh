#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# dm-multipath over two portal groups of one daemon, one preferred (ALUA): its cable is
# cut, the other one takes over, and gives back; then the states are exchanged.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"
. "$(dirname "$0")/lib/multipath.sh"

tgtd_start --iscsi "portal=$here_1:3260,tpgt=1,portal=$here_2:3260,tpgt=2"
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
tpg()
{
	adm --mode tpg --op "$1" --tid "$tid" --tpg "$2" ${3:+--params "state=$3"}
}

tpg new 1
tpg new 2 active_nonoptimized
guest_start
multipath_start "$iqn" "$here_1:3260"
path_in_use "$here_1"

note "a path fails and comes back"
link_cut 1
path_in_use "$here_2"
link_join 1
path_state "$here_1" active
path_in_use "$here_1"

note "the other is preferred now"
tpg update 2 active_optimized
tpg update 1 standby
path_in_use "$here_2"
note "and the first one again"
tpg update 1 active_optimized
tpg update 2 active_nonoptimized
path_in_use "$here_1"
writes_end 3
guest_end
