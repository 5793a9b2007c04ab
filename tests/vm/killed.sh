#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 300
# tgtd is killed and started again from its saved configuration, three times, during
# verified writes: the initiator logs in again and repeats what had no answer; no error,
# no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
acl_bind "$tid" ALL
adm --mode system --op save >"$dir/saved"
guest_start
writes_start "$here_1:3260"
for _ in 1 2 3; do
	tgtd_kill
	portals_start --config "$dir/saved"
	writes_go_on
done
writes_end 3
guest_end
