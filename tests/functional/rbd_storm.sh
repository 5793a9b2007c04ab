#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A storm of COMPARE AND WRITE, WRITE and ORWRITE by initiators that are killed, and by
# all when the daemon is, on an image: nothing is lost, see lib/storm.sh.
# timeout: 300
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/lib/storm.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_stores
# Without a lock: the next daemon need not wait until the cluster takes the last one's away.
rbd create --size 16M --image-feature layering image
serve()
{
	tgtd_start --reactors 4
	target_new
	lun_new "$tid" 1 image
	acl_bind "$tid" ALL
}
serve
storm 400 serve
