#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The same where one reactor does everything.
# timeout: 600

REACTORS=1 exec "$(dirname "$0")/run.sh"
