#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same on disks of bstype uring.
# timeout: 600

BSTYPE=uring exec "$(dirname "$0")/run.sh"
