#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Commands that change and compare blocks beyond 4 GiB, on a disk of more than 2 TiB and on
# one with blocks of 4096 bytes: see lib/far_blocks.sh.
# timeout: 120
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/lib/far_blocks.sh"

disk 2100G
lun_new "$tid" 2 "$(disk_file 5G)" --blocksize 4096
far_blocks
