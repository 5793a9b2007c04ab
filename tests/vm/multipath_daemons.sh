#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# dm-multipath over two daemons on one file, with groups that both describe: the active
# one is killed, the other is made active; the first comes back, in standby.
. "$(dirname "$0")/lib/initiator.sh"
. "$(dirname "$0")/lib/outage.sh"
. "$(dirname "$0")/lib/multipath.sh"
. "$(dirname "$0")/lib/two_daemons.sh"

two_daemons "$(disk_file 64M)"
