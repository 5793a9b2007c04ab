#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The file system of a sparse file is full: the write fails with SPACE ALLOCATION
# FAILED, what was there stays, and space that comes back can be used.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need mkfs.ext4 losetup

truncate -s 24M "$dir/small.img"
mkfs.ext4 -q -F -O ^has_journal "$dir/small.img"
mkdir "$dir/small"
mount -o loop "$dir/small.img" "$dir/small" 2>"$dir/err" ||
	skip "no file system can be mounted: $(tail -n 1 "$dir/err")"
leave()
{
	[ -z "$tgtd_pid" ] || tgtd_end
	umount "$dir/small"
}
trap 'code=$?; leave || code=1; (exit "$code"); at_exit' EXIT

tgtd_start
target_new
truncate -s 64M "$dir/small/disk"
head -c 8M /dev/zero >"$dir/small/ballast"
sync -f "$dir/small"
lun_new "$tid" 1 "$dir/small/disk"
acl_bind "$tid" ALL
python "$(url 1)" "$dir/small/ballast" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    s.write(0, b"\1" * 4096)
    good, lba, full = [], 2048, None
    while lba < 131072 and not full:
        a = s.command(write16(lba, 2048, fua=True), write=bytes([lba >> 11]) * 2048 * 512)
        if a.good:
            good.append(lba)
        else:
            full = a
        lba += 2048
    check(full and full.is_sense(7, 0x2707), "the full file system:", full)
    check(good, "nothing could be written at all")
    check(s.read(0, 8) == b"\1" * 4096, "the first block")
    for lba in good:
        check(s.read(lba, 2048) == bytes([lba >> 11]) * 2048 * 512, "what was GOOD at", lba)
    os.unlink(sys.argv[2])
    s.write(126976, b"\2" * 2048 * 512, fua=True)
    check(s.read(126976, 2048) == b"\2" * 2048 * 512, "after space came back")
END
