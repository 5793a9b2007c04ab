#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Commands that change and compare blocks beyond 4 GiB, on a VDI of more than 2 TiB with
# discard, and on one with blocks of 4096 bytes and without: see lib/far_blocks.sh.
# timeout: 120
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/lib/far_blocks.sh"
. "$SRC/tests/lib/sheep.sh"

sheep_start
sheep_vdi far 2100G
sheep_lun "$vdi" --bsopts discard=yes
sheep_vdi blocks 5G
lun_new "$tid" 2 "$sheep_address:$vdi" --bstype sheepdog --blocksize 4096
far_blocks
