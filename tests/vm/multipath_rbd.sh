#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# dm-multipath over two daemons on one RBD image, as over two on one file.
. "$(dirname "$0")/lib/initiator.sh"
. "$SRC/tests/lib/ceph.sh"
. "$(dirname "$0")/lib/outage.sh"
. "$(dirname "$0")/lib/multipath.sh"
. "$(dirname "$0")/lib/two_daemons.sh"

ceph_start
rbd create --size 64M shared
two_daemons shared --bstype rbd --bsopts "$ceph_opts"
