#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The server of the tests: objects, with the traps of a real one.  What of it is
# safe there also holds for the cluster of SHEEP.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/sheep.sh"

sheep_start --late 1000
sheep_vdi objects 1G
sheep_python "$sheep_tool" "$vdi" <<'END'
name = sys.argv[2]
vid = s.lookup(name)
def data(i, n=4 << 20, at=0):
    return s.read(data_oid(vid, i), at, n)
def make(i, at, what, cow=0):
    s.create(data_oid(vid, i), at, what, cow)
    s.set_slot(vid, i, vid)

# Create: the rest is zero, and what was there is gone.
make(1, 512, b"a" * 100)
expect("rest", bytes(512) + b"a" * 100 + bytes((4 << 20) - 612), data(1))
make(1, 0, b"b")
expect("wiped", b"b" + bytes(1000), data(1, 1001))
# Nothing has to be aligned.
s.write(data_oid(vid, 1), 4194303, b"c")
s.write(data_oid(vid, 1), 777, b"d" * 333)
expect("odd", b"\0" + b"d" * 333 + b"\0", data(1, 335, 776))
expect("last", b"\0c", data(1, 2, 4194302))
# No object.
ask(NO_OBJ, obj(WRITE, data_oid(vid, 2), 0, b"x"))
ask(NO_OBJ, obj(READ, data_oid(vid, 2), length=10))
ask(NO_OBJ, obj(CREATE, data_oid(vid, 2), 0, b"x", flags=F_COW, cow=data_oid(vid, 3)))
# Copy on write; the flag counts, not the field; a whole payload needs no source.
make(5, 0, b"source" * 10)
make(6, 3, b"XYZ", data_oid(vid, 5))
expect("copied", b"souXYZ" + b"source" * 9 + b"\0", data(6, 61))
ask(0, obj(CREATE, data_oid(vid, 7), 3, b"XYZ", cow=data_oid(vid, 5)))
expect("no flag", b"\0\0\0XYZ\0\0\0", data(7, 9))
ask(0, obj(CREATE, data_oid(vid, 7), 0, b"", flags=F_COW, cow=data_oid(vid, 5)))
expect("pure copy", data(5), data(7))
ask(0, obj(CREATE, data_oid(vid, 8), 0, b"w" * (4 << 20), flags=F_COW, cow=data_oid(vid, 99)))
expect("whole", b"w" * (4 << 20), data(8))
ask(0, obj(WRITE, data_oid(vid, 8), 1, b"y", flags=F_COW, cow=data_oid(vid, 5)))
expect("flag on a write", b"wyw", data(8, 3))
# Object by object.
ask(0, obj(DISCARD, data_oid(vid, 5)))
expect("slot", 0, s.inode(vid).slots[5])
ask(NO_OBJ, obj(READ, data_oid(vid, 5), length=1))
ask(0, obj(DISCARD, data_oid(vid, 5)))
ask(NO_OBJ, obj(DISCARD, data_oid(0x123456, 5)))
# The inode in pieces.
expect("name", name.encode(), s.read(inode_oid(vid), 0, len(name)))
expect("slot", struct.pack("<I", vid), s.read(inode_oid(vid), SLOTS_AT + 4, 4))
expect("all", INODE_BYTES, len(s.read(inode_oid(vid), 0, INODE_BYTES)))
ask(NO_OBJ, obj(READ, inode_oid(0x123456), length=10))
# What else there is.
expect("flush", INVALID_PARMS, s.ask(obj(FLUSH_VDI, inode_oid(vid))).result)
ask(INVALID_PARMS, request(0x77, bytes(32), 1))
for version, result in (0, 0), (1, 0), (2, 0), (3, VER_MISMATCH):
    ask(result, request(VDI_INFO, vdi_part(), 9, F_WRITE, name_bytes(name) * 1 + bytes(256),
                        version=version))
# Many at once, and large ones; answers have the ids of their requests.
for i in range(200):
    s.send(object_request(READ, data_oid(vid, 8), i, length=100 + i, ident=1000 + i))
s.send(object_request(READ, data_oid(vid, 8), length=4 << 20, ident=5000))
got = [s.receive() for _ in range(201)]
expect("ids", list(range(1000, 1200)) + [5000], sorted(r.id for r in got))
check(all(r.result == 0 for r in got), "results")
check(all(len(r.data) == r.id - 900 for r in got if r.id != 5000), "lengths")
END
[ -z "${SHEEP:-}" ] || exit 0

# Beyond the end of an object; a create of an inode; removal that comes late.
sheep_python "$sheep_tool" "$vdi" <<'END'
vid = s.lookup(sys.argv[2])
s.create(data_oid(vid, 20), 0, b"z")
s.set_slot(vid, 20, vid)
check(s.read(data_oid(vid, 20), (4 << 20) - 2, 10)[2:] != bytes(8), "beyond the end")
s.write(data_oid(vid, 20), 4 << 20, b"long")
expect("grown", b"long", s.read(data_oid(vid, 20), 4 << 20, 4))

s.set_slot(vid, 20, 0)
s.create(data_oid(vid, 20), 0, b"new")
s.set_slot(vid, 20, vid)
deadline = time.monotonic() + 60
while s.ask(obj(READ, data_oid(vid, 20), length=3)).result == 0:
    check(time.monotonic() < deadline, "the removal never came")
s.set_slot(vid, 20, 0)

# A snapshot's object stays while an inode names it, and its writes are refused.
s.create(data_oid(vid, 21), 0, b"base")
s.set_slot(vid, 21, vid)
new = s.snapshot(sys.argv[2], "one")
ask(READONLY, obj(WRITE, data_oid(vid, 21), 0, b"x"))
ask(READONLY, obj(CREATE, data_oid(vid, 22), 0, b"x"))
s.create(data_oid(new, 21), 4, b"!", data_oid(vid, 21))
s.set_slot(new, 21, new)
expect("copy", b"base!", s.read(data_oid(new, 21), 0, 5))
expect("base", b"base\0", s.read(data_oid(vid, 21), 0, 5))
s.discard(data_oid(new, 21))
expect("base", b"base\0", s.read(data_oid(vid, 21), 0, 5))
# The vid of a discard says whose object goes: nobody guards the snapshot.
s.discard(data_oid(vid, 21))
ask(NO_OBJ, obj(READ, data_oid(vid, 21), length=1))
# Nor an inode.
ask(0, obj(CREATE, inode_oid(new), 0, b"gone"))
expect("wiped", b"gone" + bytes(100), s.read(inode_oid(new), 0, 104))
ask(0, obj(REMOVE, inode_oid(new)))
ask(NO_OBJ, obj(REMOVE, inode_oid(new)))
END

# Where vids are recycled the object goes before the answer.
sheep_kill
sheep_again --recycle
sheep_vdi recycled 64M --shift 20 --copies 3
sheep_python "$sheep_tool" recycled <<'END'
vid = s.lookup(sys.argv[2])
expect("objects", 1 << 20, s.inode(vid).object_bytes)
expect("copies", 3, s.inode(vid).copies)
for i in range(64):
    s.create(data_oid(vid, i), 0, b"x")
    s.set_slot(vid, i, vid)
s.write(inode_oid(vid), SLOTS_AT, bytes(4 * 64))
for i in range(64):
    ask(NO_OBJ, obj(READ, data_oid(vid, i), length=1))
    s.create(data_oid(vid, i), 0, b"y")
expect("kept", b"y", s.read(data_oid(vid, 63), 0, 1))
END
