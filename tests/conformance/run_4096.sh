#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same on disks with logical blocks of 4096 bytes.
# timeout: 600

here=$(dirname "$0")
BLOCK_BYTES=4096 exec "$here/run.sh" --expected "$here/expected-4096.txt"
