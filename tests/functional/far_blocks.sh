#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# WRITE AND VERIFY, ORWRITE, VERIFY, COMPARE AND WRITE, WRITE SAME and UNMAP around 4 GiB,
# 2^31 and 2^32 blocks and at the end of a disk of more than 2 TiB; the same with blocks of
# 4096 bytes.  lib/far_blocks.py takes any disk of more than 4 GiB.
# timeout: 120
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

disk 2100G
lun_new "$tid" 2 "$(disk_file 5G)" --blocksize 4096
for lun in 1 2; do
	adm --mode logicalunit --op update --tid "$tid" --lun "$lun" --params thin_provisioning=1
	python3 "$(dirname "$0")/lib/far_blocks.py" "$(url "$lun")"
done
