#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Random data of odd sizes at odd places, many requests in flight, verified
# against a local copy.
# timeout: 240
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-img

disk 64M
head -c 64M /dev/urandom >"$dir/random"
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/random" "$(url 1)"
cmp "$dir/random" "$dir"/disk.*

# Overwrite pieces in both, at blocks and lengths that fit no larger unit.
python3 "$(dirname "$0")/lib/random_data.py" "$(url 1)" "$dir/random"
qemu-img compare -f raw -F raw "$dir/random" "$(url 1)"
