#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# UNMAP, WRITE SAME, COMPARE AND WRITE and SYNCHRONIZE CACHE are librbd's work, by its
# own counters; what is advertised about them is what they do.
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/ceph.sh"

ceph_start
ceph_disk 64M --bsopts "$ceph_opts;override=admin_socket=$dir/asok" --params thin_provisioning=1

cat >"$dir/counters.py" <<'END'
import json, subprocess, sys
from libiscsi import *

asok = sys.argv[2]
s = Session(sys.argv[1]).ready()

def counters():
    out = subprocess.run(["ceph", "--admin-daemon", asok, "perf", "dump"], check=True,
                         stdout=subprocess.PIPE).stdout
    name, values = next((k, v) for k, v in json.loads(out).items() if k.startswith("librbd-"))
    return {k: v for k, v in values.items() if isinstance(v, int)}

def costs(what, command, wanted, **kw):
    """What librbd counts for the command, besides its bytes."""
    before = counters()
    s.ok(s.command(command, **kw))
    after = counters()
    got = {k: after[k] - before[k] for k in after if after[k] != before[k]}
    got = {k: got.get(k, 0) for k in ("rd", "wr", "flush", "discard", "ws", "cmp", "discard_bytes",
                                      "ws_bytes", "cmp_bytes") if got.get(k, 0)}
    check(got == wanted, what, got)

def same(lba, blocks, flags):
    return bytes([0x93, flags]) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(2)

def unmap(lba, blocks):
    return bytes([0x42]) + bytes(6) + bytes([0, 24, 0]), \
        bytes([0, 22, 0, 16]) + bytes(4) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + \
        bytes(4)

MIB = 2048
s.write(0, b"1" * 512)
costs("READ", read16(0, 8), {"rd": 1}, read=4096)
costs("WRITE", write16(0, 8), {"wr": 1}, write=b"1" * 4096)
cdb, data = unmap(8 * MIB, 8 * MIB)
costs("UNMAP", cdb, {"discard": 1, "discard_bytes": 8 << 20}, write=data)
costs("WRITE SAME", same(0, MIB, 0), {"ws": 1, "ws_bytes": 1 << 20}, write=b"2" * 512)
costs("WRITE SAME with UNMAP", same(0, MIB, 8), {"discard": 1, "discard_bytes": 1 << 20},
      write=bytes(512))
caw = bytes([0x89, 0]) + (5).to_bytes(8, "big") + bytes([0, 0, 0, 1, 0, 0])
costs("COMPARE AND WRITE", caw, {"cmp": 1, "cmp_bytes": 512}, write=bytes(512) + b"3" * 512)
costs("SYNCHRONIZE CACHE", bytes([0x35]) + bytes(9), {"flush": 1})

# Where it differs: the offset in the block, in any object.
for lba in (5, 8, 4 * 2 * MIB, 4 * 2 * MIB + 7, 62 * MIB + 9):
    s.write(lba, b"4" * 512)
    for at in (0, 1, 100, 511):
        expected = bytearray(b"4" * 512)
        expected[at] = 0
        cdb = bytes([0x89, 0]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, 1, 0, 0])
        a = s.command(cdb, write=bytes(expected) + b"5" * 512)
        check(a.is_sense(0xE, 0x1D00), a)
    check(s.read(lba, 1) == b"4" * 512)

limits = s.ok(s.command(inquiry(0xB0), 64)).data
check(limits[5] == 1, "COMPARE AND WRITE of more than librbd does:", limits[5])
a = s.command(bytes([0x89, 0]) + bytes(8) + bytes([0, 0, 0, 2, 0, 0]), write=bytes(2048))
check(a.is_sense(5, 0x2400), a)
check(int.from_bytes(limits[12:16], "big") == 8192, "optimal transfer: an object")
check(int.from_bytes(limits[28:32], "big") == 128, "unmap granularity: 64 KiB")
provisioning = s.ok(s.command(inquiry(0xB2), 64)).data
check(provisioning[5] & 0x84 == 0x84, "LBPU, LBPRZ")

# Less than a granule, at ragged places: zeroes all the same, and nothing beside it.
s.write(16 * MIB, b"6" * 512 * 512)
for lba, n in ((1, 1), (130, 3), (200, 129)):
    cdb, data = unmap(16 * MIB + lba, n)
    s.ok(s.command(cdb, write=data))
    check(s.read(16 * MIB + lba, n) == bytes(512 * n), "unmapped", lba)
    check(s.read(16 * MIB + lba - 1, 1) == b"6" * 512, "before", lba)
    check(s.read(16 * MIB + lba + n, 1) == b"6" * 512, "behind", lba)

def status(lba):
    d = s.ok(s.command(bytes([0x9E, 0x12]) + lba.to_bytes(8, "big") + bytes([0, 0, 0, 24, 0, 0]),
                       24)).data
    check(int.from_bytes(d[8:16], "big") == lba, d)
    return int.from_bytes(d[16:20], "big"), d[20] & 15

s.write(24 * MIB, b"7" * 4096)
n, state = status(24 * MIB)
check(state == 0 and n >= 8, "written:", n, state)
n, state = status(32 * MIB)
check(state == 1 and n >= 8 * MIB, "never written:", n, state)
cdb, data = unmap(24 * MIB, 8 * MIB)
s.ok(s.command(cdb, write=data))
n, state = status(24 * MIB)
check(state == 1 and n >= 8 * MIB, "unmapped:", n, state)
s.close()
END
PYTHONPATH=$lib python3 "$dir/counters.py" "$(url 1)" "$dir/asok"

note "space comes back"
rbd du disk 2>/dev/null | tail -n 1
