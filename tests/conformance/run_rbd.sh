#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same on images of a Ceph cluster.
# timeout: 600
# slow

BSTYPE=rbd exec "$(dirname "$0")/run.sh"
