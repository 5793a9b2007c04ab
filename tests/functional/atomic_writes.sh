#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# WRITE ATOMIC: sixteen readers on four reactors never see a mix of two writes; after
# kill -9 at any moment each range is as a whole what was written last, or what was
# under way.
# timeout: 300
. "$(dirname "$0")/lib/initiators.sh"

LONG=2048			# blocks of the range that is read: nothing copies that at once
READS=40			# of each reader
BLOCKS=128			# of a range that is to survive
ROUNDS=${ROUNDS:-12}		# of killing

cat >"$dir/writer.py" <<'END'
# Writes generation after generation to the ranges, in turn, and tells which is done.
import itertools, sys
from libiscsi import *

url, me, blocks, ranges, first = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
s = Session(url, f"iqn.2001-04.org.example:writer{me}").ready()

def write_atomic(lba, data):
    return bytes([0x9C, 0]) + lba.to_bytes(8, "big") + bytes(2) + \
        (len(data) // 512).to_bytes(2, "big") + bytes(2)

for n in itertools.count(first):
    data = (n.to_bytes(8, "little") + me.encode().ljust(8)) * (32 * blocks)
    s.ok(s.command(write_atomic(n % ranges * blocks, data), write=data))
    print(n, flush=True)
END
cat >"$dir/reader.py" <<'END'
import sys
from libiscsi import *

url, me, blocks, count = sys.argv[1], *map(int, sys.argv[2:5])
s = Session(url, f"iqn.2001-04.org.example:reader{me}").ready()
seen = set()
for _ in range(count):
    data = s.read(0, blocks)
    check(data == data[:16] * (32 * blocks), "a mix was read")
    seen.add(data[:16])
check(len(seen) > 1, "nothing was written meanwhile")
s.close()
END

# --- readers ----------------------------------------------------------------

tgtd_start --iscsi portal=127.0.0.1:0 --reactors 4
target_new
disk=$(disk_file 16M)
lun_new "$tid" 1 "$disk" --params atomic_write=1M
acl_bind "$tid" ALL

writers=() readers=()
for w in 1 2 3; do
	python3 "$dir/writer.py" "$(url 1)" $w $LONG 1 1 >"$dir/writer.$w" &
	writers+=($!)
done
for w in 1 2 3; do
	wait_for 60 test -s "$dir/writer.$w" || fail "writer $w does not write"
done
for r in $(seq 16); do
	python3 "$dir/reader.py" "$(url 1)" "$r" $LONG $READS &
	readers+=($!)
done
for pid in "${readers[@]}"; do
	wait "$pid" || fail "a reader is not content"
done
for pid in "${writers[@]}"; do
	running "$pid" || fail "a writer has ended"
	kill -KILL "$pid"
	wait "$pid" || :
done

# --- crashes ----------------------------------------------------------------

adm --mode logicalunit --op delete --tid "$tid" --lun 1 --force
truncate -s 0 "$disk"
truncate -s 16M "$disk"
lun_new "$tid" 1 "$disk" --params atomic_write=64k
cat >"$dir/judge.py" <<'END'
# Each range is whole, and not older than the last one that was told.
import sys
from libiscsi import *

url, blocks, ranges, told = sys.argv[1], *map(int, sys.argv[2:5])
s = Session(url, "iqn.2001-04.org.example:judge").ready()
newest = 0
for i in range(ranges):
    data = s.read(i * blocks, blocks)
    n = int.from_bytes(data[:8], "little")
    check(data == data[:16] * (32 * blocks), "range", i, "is torn")
    check(n % ranges == i or not n, "range", i, "has what belongs elsewhere:", n)
    check(n > told - ranges or told < ranges and not n, "range", i, "has", n, "and not", told)
    newest = max(newest, n)
check(newest in (told, told + 1), newest, "is the newest,", told, "was told")
print(newest)
s.close()
END

told=0
for ((round = 0; round < ROUNDS; round++)); do
	: >"$dir/told"
	python3 "$dir/writer.py" "$(url 1)" 4 $BLOCKS 4 $((told + 1)) >>"$dir/told" 2>/dev/null &
	writer=$!
	wait_for 60 test -s "$dir/told" || fail "nothing is written"
	python3 -c 'import random, time; time.sleep(random.random() * 0.1)'
	tgtd_kill
	wait "$writer" || :
	last=$(tail -n 1 "$dir/told")
	tgtd_start --iscsi portal=127.0.0.1:0 --reactors 4
	adm --mode target --op new --tid "$tid" --targetname "$iqn"
	lun_new "$tid" 1 "$disk" --params atomic_write=64k
	acl_bind "$tid" ALL
	told=$(python3 "$dir/judge.py" "$(url 1)" $BLOCKS 4 "$last") || fail "$told"
done

# --- torn for certain: the store holds the write, then half of it is there ---

tgtd_stop
[ -z "$(find "$dir/state" -name 'atomic-*')" ] || fail "an empty journal was left"
tgtd_start
target_new
on=$dir/rules-on
lun_new "$tid" 1 "rdwr:$disk" --bstype error --bsopts "control=$on;op=write;hang=yes" \
	--params atomic_write=64k
acl_bind "$tid" ALL
: >"$on"
: >"$dir/told"
python3 "$dir/writer.py" "$(url 1)" 5 $BLOCKS 4 4 >>"$dir/told" 2>/dev/null &
writer=$!
in_journal()
{
	grep -qaF "$(printf '5       \x04')" "$dir"/state/atomic-*
}
wait_for 60 in_journal || fail "nothing is recorded"
tgtd_kill
wait "$writer" || :
[ ! -s "$dir/told" ] || fail "GOOD for what is not done"
python3 - "$disk" <<'END'
import sys
with open(sys.argv[1], "r+b") as f:
    f.write((b"\4" + bytes(7) + b"5       ") * (32 * 64))
END
rm "$on"
tgtd_start
adm --mode target --op new --tid "$tid" --targetname "$iqn"
lun_new "$tid" 1 "rdwr:$disk" --bstype error
acl_bind "$tid" ALL
python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    check(s.read(0, 128) == (b"\4" + bytes(7) + b"5       ") * (32 * 128), "not finished")
END
grep -q "was interrupted: finished" "$tgtd_log" || fail "the log does not tell"

# --- what cannot be ---------------------------------------------------------

adm_fails 22 "remove the LUN and add it anew" --mode logicalunit --op update --tid "$tid" \
	--lun 1 --params atomic_write=64k
adm_fails 22 "0 (none) to 1048576 bytes" --mode logicalunit --op new --tid "$tid" --lun 2 \
	--backing-store "$disk" --params atomic_write=2M
lun_new "$tid" 2 "$disk" --params atomic_write=1M
adm_fails 22 "another LUN" --mode logicalunit --op new --tid "$tid" --lun 3 \
	--backing-store "$disk" --params atomic_write=64k

# --- no space for a journal -------------------------------------------------

tgtd_stop
if unshare -m --propagation private true 2>/dev/null; then
	mkdir "$dir/small"
	cat >"$dir/in-small" <<-END
		#!/bin/sh
		exec unshare -m --propagation private sh -c 'mount -t tmpfs -o size=256k none "$dir/small" &&
			exec "\$0" "\$@"' "$TGTD" "\$@"
	END
	chmod +x "$dir/in-small"
	TGTD=$dir/in-small tgtd_start --state-dir "$dir/small"
	target_new
	adm_fails 22 "no journal of atomic writes can be made in the state directory: No space left" \
		--mode logicalunit --op new --tid "$tid" --lun 1 --backing-store "$disk" \
		--params atomic_write=64k
	lun_new "$tid" 1 "$disk"
fi
