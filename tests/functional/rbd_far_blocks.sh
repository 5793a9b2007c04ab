#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Commands that change and compare blocks beyond 4 GiB, on an image of more than 2 TiB and
# on one with blocks of 4096 bytes: see lib/far_blocks.sh.
# timeout: 240
# slow
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/lib/far_blocks.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_stores
tgtd_start
target_new
lun_new "$tid" 1 "$(ceph_image 2100G)"
lun_new "$tid" 2 "$(ceph_image 5G)" --blocksize 4096 \
	--bstype rbd --bsopts "$ceph_opts;lock=exclusive"
acl_bind "$tid" ALL
far_blocks
