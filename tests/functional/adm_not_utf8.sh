#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Bytes that are not UTF-8 cannot be sent; no option is dropped because of them.
. "$(dirname "$0")/lib/initiators.sh"

bad=$'\xff'
disk 1M
says 22 "tgtadm: invalid request
tgtadm: parameter '$bad' is not UTF-8" \
	--mode logicalunit --op update --tid "$tid" --lun 1 --params "$bad=1"
says 22 "tgtadm: invalid request
tgtadm: parameter 'scsi_id' is not UTF-8" \
	--mode logicalunit --op update --tid "$tid" --lun 1 --params "scsi_id=a,scsi_id=$bad"
says 22 "tgtadm: can't find the driver" --lld "$bad" --mode target --op show
says 22 'tgtadm: the value of --backing-store is not UTF-8' \
	--mode logicalunit --op new --tid "$tid" --lun 2 --backing-store "$bad"
