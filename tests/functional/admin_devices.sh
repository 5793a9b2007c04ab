#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Block devices in targets.conf: a direct-store is as the device is, one that this host
# uses is not exported by mistake.
. "$(dirname "$0")/lib/admin.sh"

need losetup iscsi-readcapacity16
loop=$(losetup --find --show --sector-size 4096 "$(disk_file 32M)" 2>"$dir/err") ||
	skip "no loop device: $(tail -n 1 "$dir/err")"
trap 'code=$?; losetup --detach "$loop"; (exit "$code"); at_exit' EXIT

t=iqn.2001-04.org.example:device
iqn=$t
tgtd_start

note 'direct-store: the block size and the physical block are those of the device'
conf <<END
<target $t>
	direct-store $loop
</target>
END
admin -e -c "$conf"
out=$(iscsi-readcapacity16 "$(url 1)")
[[ $out == *'LBA:8191'* || $out == *'8191'* ]] || fail "number of blocks: $out"
expect 'a block, and how many are a physical one' '00001000 00' "$(
	printf 'data %s 9e100000000000000000000000200000\n' '8 4' '13 1' |
		python3 "$lib/seen.py" "$portal" $t | xargs)"
# That we have it open is no use by somebody else.
unchanged admin --update ALL -c "$conf"
unchanged admin -e -c "$conf"
admin --delete ALL

note 'a device that somebody has for himself'
mkfifo "$dir/hold"
python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_EXCL)
print("held", flush=True)
sys.stdin.read()' "$loop" <"$dir/hold" >"$dir/held" &
holder=$!
exec {release}>"$dir/hold"
wait_for 20 grep -q held "$dir/held" || fail 'the device cannot be held'
conf <<END
<target $t>
	backing-store $loop
</target>
END
unchanged admin_fails 1 "$conf:2: backing-store: $loop is in use on this host; 'allow-in-use yes' would allow it" \
	-e -c "$conf"
admin -e --ignore-errors -c "$conf" 2>"$dir/err"
grep -q "left out: $conf:2: backing-store: $loop is in use" "$dir/err"
[[ $(adm --mode target --op show) != *"$loop"* ]] || fail "exported, though in use"
sed -i 's/<target.*/&\nallow-in-use yes\nblock-size 4096/' "$conf"
admin -e -c "$conf"
[[ $(adm --mode target --op show) == *"Backing store path: $loop"* ]] || fail "allow-in-use does not allow it"
admin --delete ALL
sed -i '/allow-in-use/d' "$conf"
admin -e -f -c "$conf"
[[ $(adm --mode target --op show) == *"Backing store path: $loop"* ]] || fail "--force does not allow it"
admin --delete ALL
exec {release}>&-
wait $holder
admin -e -c "$conf"
[[ $(adm --mode target --op show) == *"Backing store path: $loop"* ]] || fail "it is free"
admin --delete ALL
