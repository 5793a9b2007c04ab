#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An ext4 file system written to a LUN comes back byte for byte and sound.
# timeout: 240
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-img mkfs.ext4 e2fsck

disk 512M
truncate -s 512M "$dir/ext4.img"
mkfs.ext4 -q -F -d "$SRC/usr" "$dir/ext4.img"

qemu-img convert -n -f raw -O raw "$dir/ext4.img" "$(url 1)"
qemu-img convert -f raw -O raw "$(url 1)" "$dir/back.img"

cmp "$dir/ext4.img" "$dir/back.img"
e2fsck -fn "$dir/back.img"
# And it is in the store itself, not only in what tgtd remembers.
tgtd_stop
cmp "$dir/ext4.img" "$dir"/disk.*
