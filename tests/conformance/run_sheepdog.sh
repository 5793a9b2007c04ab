#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same on VDIs of a Sheepdog cluster.
# timeout: 600

BSTYPE=sheepdog exec "$(dirname "$0")/run.sh"
