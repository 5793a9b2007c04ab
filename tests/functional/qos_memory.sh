#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Many LUNs that wait for their limits leave memory for those that do not.
. "$(dirname "$0")/lib/initiators.sh"

# A session's share is 4 MiB of these: what 24 of them want is more than there is.
tgtd_start --memory 64M --reactors 1
disk 64M
for lun in $(seq 2 25); do
	lun_new "$tid" "$lun" "$(disk_file 64M)" --params bw_limit=1,bw_burst=1
done
python "$(url)" <<'END'
url = sys.argv[1]
MIB = 1 << 20
all = []
try:
    for lun in range(2, 26):
        s = Session(f"{url}/{lun}", f"iqn.2001-04.org.example:i{lun}",
                    unsolicited=False).ready()
        all.append(s)
        waits = [s.submit(read16(2048 * i, 2048), read=MIB) for i in range(4)]
        check(s.command(bytes(6)).good, "LUN", lun, "stands still")
        check(sum(p.answer is None for p in waits) >= 3, "LUN", lun, "has no limit")
    with Session(f"{url}/1") as s:
        s.ready()
        for i in range(16):
            s.write(2048 * i, bytes([i]) * MIB)
        many = [s.submit(read16(2048 * i, 2048), read=MIB) for i in range(16)]
        for i, p in enumerate(many):
            check(p.wait().data == bytes([i]) * MIB, "the data of", i)
finally:
    for s in all:
        s.destroy()
END
