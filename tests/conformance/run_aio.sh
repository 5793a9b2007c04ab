#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same on disks of bstype aio.
# timeout: 600

BSTYPE=aio exec "$(dirname "$0")/run.sh"
