#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A full pool answers at once that there is no space; reading and giving back go on, and
# so does writing when there is space again.
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start STORE=bluestore
ceph_disk 64M --params thin_provisioning=1
io "$(url 1)" 'write -P 1 0 1M'

# ratios NEARFULL BACKFILLFULL FULL
ratios()
{
	ceph osd set-nearfull-ratio "$1" 2>/dev/null
	ceph osd set-backfillfull-ratio "$2" 2>/dev/null
	ceph osd set-full-ratio "$3" 2>/dev/null
}

is_full()
{
	local flags

	flags=$(ceph osd dump | sed -n "s/^pool .* 'rbd' .* flags \([a-z_,]*\).*/\1/p")
	[[ ,$flags, == *,full,* ]]
}

ratios 0.00001 0.00002 0.00003
wait_for 60 is_full || fail "$(ceph osd dump)"
python "$(url 1)" <<'END'
import itertools
s = Session(sys.argv[1]).ready()

def unmap(lba, blocks):
    s.ok(s.command(bytes([0x42]) + bytes(6) + bytes([0, 24, 0]),
                   write=bytes([0, 22, 0, 16]) + bytes(4) + lba.to_bytes(8, "big") +
                   blocks.to_bytes(4, "big") + bytes(4)))

# The client hears of it with the next map.
deadline = time.monotonic() + 60
for mib in itertools.cycle(range(4, 60, 4)):       # an object that is not there yet
    a = s.command(write16(mib * 2048, 8), write=b"2" * 4096)
    if not a.good:
        break
    unmap(mib * 2048, 4 * 2048)
    check(time.monotonic() < deadline, "it never gets full")
check(a.is_sense(7, 0x2707), a)
check(s.read(0, 2048) == b"\1" * (1 << 20))
unmap(0, 1024)
check(s.read(0, 2048) == bytes(1 << 19) + b"\1" * (1 << 19))
s.close()
END
ratios 0.85 0.9 0.95
wait_for 60 eval '! is_full' || fail "$(ceph osd dump)"
python "$(url 1)" <<'END'
s = Session(sys.argv[1]).ready()
deadline = time.monotonic() + 60
while not s.command(write16(60 * 2048, 8), write=b"3" * 4096).good:
    check(time.monotonic() < deadline, "it stays full")
    time.sleep(0.05)
check(s.read(60 * 2048, 8) == b"3" * 4096)
s.close()
END
