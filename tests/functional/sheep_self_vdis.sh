#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The server of the tests: VDIs by name, snapshots, clones, deletion.  The same holds
# for the cluster of SHEEP.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/sheep.sh"

sheep_start --shift 22
sheep_vdi one 100M
sheep_python "$sheep_tool" "$vdi" <<'END'
name = sys.argv[2]
def lookup(result, *args):
    try:
        vid = s.lookup(*args)
    except SheepError as e:
        expect(f"lookup {args}", hex(result), hex(e.result))
        return None
    expect(f"lookup {args}", result, 0)
    return vid
def new(result, *args, **kw):
    try:
        vid = s.new(*args, **kw)
    except SheepError as e:
        expect(f"new {args}", hex(result), hex(e.result))
        return None
    expect(f"new {args}", result, 0)
    return vid

# A vid is made of the name.
h = 0xcbf29ce484222325
for c in name.encode():
    h = (h ^ c) * 0x100000001b3 % 2**64
first = lookup(0, name)
check((first - h) % (1 << 24) < 100, f"vid {first:x} of {name}, hash {h:x}")
check(first in s.vids(), "bitmap")
lookup(NO_VDI, name + "-nosuch")
lookup(NO_TAG, name, "tag")
lookup(NO_TAG, name, "1")              # the working VDI has no such address
new(VDI_EXIST, name, 1 << 20)

# Payloads of other lengths.
ask(0, request(VDI_INFO, vdi_part(), 1, F_WRITE, name_bytes(name)))
ask(INVALID_PARMS, request(VDI_INFO, vdi_part(), 1, F_WRITE, name_bytes(name) + bytes(10)))

# Snapshots.
s.create(data_oid(first, 3), 0, b"first")
s.set_slot(first, 3, first)
second = s.snapshot(name, "morning")
i = s.inode(first, whole=False)
check(i.snap_time and i.tag == "morning" and i.snap_id == 1, "the snapshot's inode")
i = s.inode(second)
check(not i.snap_time and i.tag == "" and i.snap_id == 2 and i.parent == first and
      i.slots[3] == first and i.size == 100 << 20, "the new inode")
third = s.snapshot(name, "evening")
expect("working", third, lookup(0, name))
expect("by tag", first, lookup(0, name, "morning"))
expect("by number", second, lookup(0, name, "2"))
lookup(NO_TAG, name, "3")
lookup(NO_TAG, name, "noon")
# Both: either is enough, the newest wins.
r = ask(0, name_request(VDI_INFO, name, "morning", 2))
expect("tag or number", second, r.vid)

# Clones.
copy = s.clone(name, "morning", name + "-copy")
i = s.inode(copy)
check(i.parent == first and i.slots[3] == first and not i.snap_time and i.snap_id == 1, "clone")
expect("clone's data", b"first", Vdi(s, name + "-copy").read(12 << 20, 5))
Vdi(s, name + "-copy").write((12 << 20) + 1, b"I")
expect("clone", b"fIrst", Vdi(s, name + "-copy").read(12 << 20, 5))
expect("base", b"first", Vdi(s, name, "morning").read(12 << 20, 5))
new(0x0c, name + "-orphan", 1 << 20, base=0x777777)

# Deletion: not while slots are left.
ask(0, name_request(DEL_VDI, name + "-copy"))
lookup(0, name + "-copy")
s.delete(name + "-copy")
lookup(NO_VDI, name + "-copy")
i = s.inode(copy, whole=False)
check(i.name == "" and i.size == 0, "a deleted inode")
expect("base", b"first", Vdi(s, name, "morning").read(12 << 20, 5))
# The vid is not used again, the name is.
check(lookup(0, name) == third, "working")
s.delete(name)
lookup(NO_VDI, name)
expect("snapshots stay", first, lookup(0, name, "morning"))
back = s.clone(name, "morning", name)          # a rollback
i = s.inode(back)
check(i.parent == first and i.snap_id > 2, f"rollback: {i.snap_id}")
expect("data", b"first", Vdi(s, name).read(12 << 20, 5))

# The size is a field; shifts and defaults.
s.resize(name, (100 << 20) + 1)
expect("size", (100 << 20) + 1, s.inode(back, whole=False).size)
r = ask(0, request(DEFAULTS, bytes(32), 5))
check(r.raw[20] >= 1 and r.raw[22] >= 20, "defaults")
small = s.new(name + "-small", 5 << 20, shift=20, copies=1)
expect("shift", 20, s.inode(small).shift)
END
[ -z "${SHEEP:-}" ] || exit 0

# A tree in place of the map: words that change are slots to the server, unless
# the write begins before them.
vid=$(sheep new hyper 1G --hyper)
sheep_python "$sheep_tool" "$vid" <<'END'
vid = int(sys.argv[2], 16)
def tree(nr):
    return struct.pack("<HHI", 0x6274, 1, nr) + b"".join(
        struct.pack("<II", i, vid) for i in range(nr))
def there():
    return [i for i in range(64) if s.ask(obj(READ, data_oid(vid, i), length=1)).result == 0]
for i in range(64):
    s.create(data_oid(vid, i), 0, b"x")
head = s.read(inode_oid(vid), 568, SLOTS_AT - 568)
s.write(inode_oid(vid), 568, head + tree(64) + bytes(1000))
expect("safe", list(range(64)), there())
s.write(inode_oid(vid), SLOTS_AT, tree(8) + bytes(1000))
deadline = time.monotonic() + 60
while there() == list(range(64)):
    check(time.monotonic() < deadline, "nothing was removed")
END
