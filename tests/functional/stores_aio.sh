#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every test with the tag "stores:" over bs_aio.
# timeout: 600
# slow
BSTYPE=aio BSOFLAGS='' exec "$(dirname "$0")/lib/stores.sh"
