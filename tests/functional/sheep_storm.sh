#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A storm of COMPARE AND WRITE, WRITE and ORWRITE by initiators that are killed, and by
# all when the daemon is, on a VDI: nothing is lost, see lib/storm.sh.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/lib/storm.sh"
. "$SRC/tests/lib/sheep.sh"

sheep_start
# What reads and what writes the same blocks comes from different initiators.
[ -n "${SHEEP:-}" ] || sheep_control allow overlap-read
sheep_vdi storm 16M
serve()
{
	tgtd_start --reactors 4
	sheep_lun "$vdi"
}
serve
storm 800 serve
