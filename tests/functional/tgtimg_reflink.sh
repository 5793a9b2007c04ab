#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtimg --op clone shares blocks where the file system can, also of a volume that is
# written to; between file systems it copies.
. "$(dirname "$0")/../lib/common.sh"

[ "$(id -u)" -eq 0 ] || skip "only root can mount a file system that shares blocks"
need mkfs.xfs
if [ -z "${IN_NAMESPACE:-}" ]; then
	unshare --mount true 2>/dev/null || skip "mount namespaces are not allowed here"
	IN_NAMESPACE=1 unshare --mount --propagation private "$0"
	exit
fi

truncate -s 400M "$dir/xfs.img"
mkfs.xfs -q "$dir/xfs.img" || skip "this mkfs.xfs makes no file system of 400 MB"
mkdir "$dir/xfs"
mount -o loop "$dir/xfs.img" "$dir/xfs" || skip "no loop device, or no XFS in this kernel"

used() { df --output=used -B1 "$dir/xfs" | tail -n 1; }

"$BUILD/tgtimg" --op new --file "$dir/xfs/a" --size 32
head -c 32M /dev/urandom >"$dir/xfs/a"
sync -f "$dir/xfs"
before=$(used)

note "in use by a LUN, and a picture of one moment all the same"
tgtd_start
target_new
lun_new "$tid" 1 "$dir/xfs/a"
"$BUILD/tgtimg" --op clone --file "$dir/xfs/a" --to "$dir/xfs/b"
cmp "$dir/xfs/a" "$dir/xfs/b"
sync -f "$dir/xfs"
[ $(($(used) - before)) -lt $((4 << 20)) ] || fail "the clone took $(($(used) - before)) bytes"
tgtd_stop

note "to another file system"
"$BUILD/tgtimg" --op clone --file "$dir/xfs/b" --to "$dir/c"
cmp "$dir/xfs/b" "$dir/c"
umount "$dir/xfs"
