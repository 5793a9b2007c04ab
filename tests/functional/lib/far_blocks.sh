# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests, after initiators.sh:
#
#	far_blocks	WRITE AND VERIFY, ORWRITE, VERIFY, COMPARE AND WRITE, WRITE SAME and
#			UNMAP on LUN 1 and 2 of the target, around 4 GiB, 2^31 and 2^32 blocks as
#			far as they are there, and at the end; see far_blocks.py

# shellcheck disable=SC2154 # of common.sh

far_blocks()
{
	local lun

	for lun in 1 2; do
		adm --mode logicalunit --op update --tid "$tid" --lun "$lun" \
			--params thin_provisioning=1
		python3 "$lib/far_blocks.py" "$(url "$lun")"
	done
}
