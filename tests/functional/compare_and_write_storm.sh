#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A storm of COMPARE AND WRITE, WRITE and ORWRITE by initiators that are killed, and by
# all when the daemon is: nothing is lost, see lib/storm.sh.
# timeout: 300
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/lib/storm.sh"

path=$(disk_file 16M)
serve()
{
	tgtd_start --iscsi portal=127.0.0.1:0 --reactors 4
	target_new
	lun_new "$tid" 1 "$path"
	acl_bind "$tid" ALL
}
serve
storm 1000 serve
