#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# iops_limit and bw_limit: never more than burst and rate, for all initiators together;
# other LUNs do not wait; a change counts for what waits already.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M --params iops_limit=40,iops_burst=5
lun_new "$tid" 2 "$(disk_file 8M)"
update()
{
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params "$1"
}
limits()
{
	"$TGTADM" --json --mode target --op show | python3 -c '
import json, sys
lun = json.load(sys.stdin)["targets"][0]["luns"][int(sys.argv[1])]
print(*(lun.get(k) for k in ("iops_limit", "iops_burst", "bw_limit", "bw_burst")))' "$1"
}
expect "limits from the start" "40 5 0 0" "$(limits 1)"
expect "limits of the other LUN" "0 0 0 0" "$(limits 2)"

# However slow this machine is: what is answered by then has been allowed by then.
cat >"$dir/paced.py" <<'END'
url, rate, burst, blocks, n = sys.argv[1], *map(float, sys.argv[2:6])
blocks, n = int(blocks), int(n)
with Session(url) as s, Session(url, "iqn.2001-04.org.example:other") as o:
    s.ready()
    o.ready()
    start = time.monotonic()
    all = []
    for i in range(n):
        a = (s, o)[i % 2]
        all.append(a.submit(read16(8 * i, blocks), read=512 * blocks) if i % 3 else
                   a.submit(write16(8 * i, blocks), write=b"\1" * 512 * blocks))
    while True:
        for a in (s, o):
            a.serve(0.002)
        done = sum(p.answer is not None for p in all)
        spent = time.monotonic() - start
        check(done <= burst + rate * spent, done, "answers in", spent, "s")
        if done == n:
            break
    for p in all:
        check(p.wait().good, "an answer:", p.answer)
END
# The session's first commands (INQUIRY and the like) are no operations of the unit.
python "$(url 1)" 40 5 1 60 <"$dir/paced.py"
update iops_limit=0,bw_limit=64k,bw_burst=16k
expect "limits after a change" "0 5 65536 16384" "$(limits 1)"
python "$(url 1)" 16 4 8 40 <"$dir/paced.py"

# One byte a second: what is answered was let go, and did not wait for its time.
update bw_limit=1,bw_burst=1,iops_burst=0
python "$(url 1)" "$(url 2)" "$TGTADM" "$tid" <<'END'
url, other, tgtadm, tid = sys.argv[1:]
with Session(url) as s, Session(other) as o:
    s.ready()
    o.ready()
    s.command(bytes(6), lun=2)                  # takes the unit attention
    first = s.submit(read16(0, 8), read=4096)
    waits = [s.submit(write16(8 * i, 8), write=bytes([i + 1]) * 4096) for i in range(32)]
    # Those that count last: here the order of writes to one block is seen.
    waits += [s.submit(write16(1024, 8), write=bytes([i]) * 4096) for i in range(8)]
    check(s.command(bytes(6)).good, "TEST UNIT READY waits")
    check(s.command(inquiry(), 96).good, "INQUIRY waits")
    check(s.command(SYNCHRONIZE_CACHE).good, "SYNCHRONIZE CACHE waits")
    for i in range(200):                        # the other LUN, in this session and its own
        check(s.command(read16(8 * i, 8), 4096, lun=2).good, "LUN 2")
        o.write(8 * i, b"\7" * 4096)
    check(all(p.answer is None for p in waits), "a write did not wait")
    subprocess.run([tgtadm, *"--lld iscsi --mode logicalunit --op update --lun 1 --params bw_limit=0"
                    .split(), "--tid", tid], check=True)
    check(first.wait().good, first.answer)
    for p in waits:
        check(p.wait().good, p.answer)
    for i in range(32):
        check(s.read(8 * i, 8) == bytes([i + 1]) * 4096, "block", 8 * i)
    check(s.read(1024, 8) == b"\7" * 4096, "the last write did not win")
END
expect "no limits" "0 0 0 1" "$(limits 1)"

# Refused as a whole, or taken with a word.
adm_fails 22 "parameter 'iops_limit': must be 0 (none) to 1000000000" \
	--mode logicalunit --op update --tid "$tid" --lun 1 --params bw_limit=1M,iops_limit=x
adm_fails 22 "parameter 'bw_limit': must be 0 (none)" \
	--mode logicalunit --op update --tid "$tid" --lun 1 --params iops_limit=7,bw_limit=2X
expect "nothing has changed" "0 0 0 1" "$(limits 1)"
update iops_burst=5 2>"$dir/warning"
grep -q 'iops_burst has no effect without iops_limit' "$dir/warning" ||
	fail "no warning: $(cat "$dir/warning")"
