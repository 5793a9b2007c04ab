#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A thousand LUNs start no thread, and every one of them works.
# timeout: 240
# slow
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

nr_threads()
{
	find "/proc/$tgtd_pid/task" -mindepth 1 -maxdepth 1 | wc -l
}

tgtd_start
before=$(nr_threads)
for t in 1 2 3 4; do
	target_new
	acl_bind "$tid" ALL
	for lun in $(seq 250); do
		truncate -s 1M "$dir/l$t-$lun"
		lun_new "$tid" "$lun" "$dir/l$t-$lun"
	done
done
expect "LUNs" 1004 "$(show target | grep -c '^        LUN: ')"
for t in 1 4; do
	iqn=iqn.2001-04.org.example:test.$t
	python "iscsi://$portal/$iqn/1" <<'END'
with Session(sys.argv[1]) as s:
    for lun in range(1, 251):
        for _ in range(3):
            if s.command(bytes(6), lun=lun).good:
                break
        s.lun = lun
        s.write(0, bytes([lun]) * 512)
    for lun in range(1, 251):
        s.lun = lun
        check(s.read(0, 1) == bytes([lun]) * 512, "LUN", lun)
END
done
after=$(nr_threads)
expect "threads with 1,000 LUNs in use" "$before" "$after"
for t in 1 2 3 4; do
	adm --mode target --op delete --tid "$t" --force
done
expect "targets left" "" "$(show target)"
