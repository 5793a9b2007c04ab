#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtd is killed and started again, with its targets from targets.conf by tgt-admin as at
# a boot, three times, during verified writes: the initiator logs in again and repeats
# what had no answer; no error, no byte lost.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"

iqn=iqn.2001-04.org.example:disk
cat >"$dir/targets.conf" <<END
<target $iqn>
	backing-store $(disk_file 64M)
</target>
END

# As tgt.service does it; the initiator asks all the time.
boot()
{
	portals_start
	adm --mode system --op update --name State --value offline
	"$SRC/scripts/tgt-admin" --execute --conf "$dir/targets.conf"
	adm --mode system --op update --name State --value ready
}

boot
guest_start
writes_start "$here_1:3260"
for _ in 1 2 3; do
	tgtd_kill
	boot
	writes_go_on
done
writes_end 3
guest_end
