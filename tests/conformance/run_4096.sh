#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same on disks with logical blocks of 4096 bytes.
# timeout: 600

BLOCK_BYTES=4096 exec "$(dirname "$0")/run.sh"
