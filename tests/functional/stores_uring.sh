#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every test with the tag "stores:" over bs_uring.
# timeout: 600
# slow
BSTYPE=uring BSOFLAGS='' exec "$(dirname "$0")/lib/stores.sh"
