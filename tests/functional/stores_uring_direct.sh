#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every test with the tag "stores:" over bs_uring with direct I/O.
# timeout: 600
# slow
BSTYPE=uring BSOFLAGS=direct exec "$(dirname "$0")/lib/stores.sh"
