#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The server of the tests: each rule that it watches is found broken when it is, and
# a client that keeps them all is left in peace.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'a real one watches no rules'

sheep_start --locks --reorder 1 --late 3600000
sheep_python "$sheep_address" "$sheep_tool" "$dir/breaches" "$SRC/tests/services/sheep/strict.c" <<'END'
tool, path, source = Sheep(sys.argv[2]), sys.argv[3], sys.argv[4]
NAME = name_bytes("disk")
vid = tool.new("disk", 64 << 20)
hyper = tool.new("hyper", 64 << 20, store=1)

def broken():
    with open(path, encoding="utf-8") as f:
        rules = [line.partition(":")[0] for line in f]
    open(path, "w", encoding="utf-8").close()
    return rules

seen = set()
def breaks(rule, *raws, more=()):
    """The requests, in flight together, break that rule and no other."""
    s.send(b"".join(raws))
    for raw in raws:
        s.receive()
    got = set(broken())
    seen.update(got)
    expect(f"broken by {raws[-1][:48].hex()}", {rule} | set(more) if rule else set(), got)
def fine(*raws):
    breaks(None, *raws)

def create(i, data=b"x", at=0, v=None, **kw):
    return obj(CREATE, data_oid(v or vid, i), at, data, **kw)
def write(i, data=b"y", at=0, v=None, **kw):
    return obj(WRITE, data_oid(v or vid, i), at, data, **kw)
def read(i, n=1, at=0, v=None, **kw):
    return obj(READ, data_oid(v or vid, i), at, length=n, **kw)
def slots(first, *values, v=None):
    return obj(WRITE, inode_oid(v or vid), SLOTS_AT + 4 * first,
               struct.pack(f"<{len(values)}I", *values))
def head(at, data, v=None):
    return obj(WRITE, inode_oid(v or vid), at, data)
def named(op=VDI_INFO, payload=NAME + bytes(256), flags=F_WRITE, **part):
    return request(op, vdi_part(**part), s.ident(), flags, payload)

# As it should be.
fine(name_request(LOCK_VDI, "disk", ident=s.ident()))
for i in range(4):
    fine(create(i))
    fine(slots(i, vid))
fine(*[write(i, at=10 * k) for i in range(4) for k in range(10)])
fine(read(0, 10), read(0, 10), read(0, 100, 2), write(1), read(1, 1, 4))
fine(create(4), create(5))
fine(slots(4, vid, vid))

# The request by itself.
breaks("version", request(DEFAULTS, bytes(32), 1, version=0))
breaks("opcode", obj(REMOVE, data_oid(vid, 99)))
breaks("opcode", request(0x85, bytes(32), 2))
breaks("flags", read(0, flags=F_COW))
breaks("flags", named(flags=F_WRITE | 0x100))
breaks("zero", request(READ, object_part(data_oid(vid, 0))[:-1] + b"\1", 3, length=1))
breaks("zero", request(VDI_INFO, vdi_part()[:-1] + b"\1", 4, F_WRITE, NAME + bytes(256)))
breaks("zero", bytes([1, READ, 0, 0, 9]) + bytes(3) + read(0)[8:])
breaks("copies", read(0, copies=2))
fine(read(0, copies=1))
breaks("object-size", read(0, 2, (4 << 20) - 1))
breaks("object-size", write(0, b"ab", (4 << 20) - 1))
breaks("object-size", obj(READ, inode_oid(vid), INODE_BYTES - 1, length=2))
breaks("inode-refs", head(REFS_AT, b"\0"), more=["inode-header"])
breaks("huge", read(0, 17 << 20), more=["object-size"])
breaks("names", named(payload=NAME))
breaks("names", named(payload=NAME[:-1] + b"x" + bytes(256)))
breaks("names", named(payload=b"x" * 256 + bytes(256)))
breaks("names", named(payload=bytes(512)))
breaks("names", named(payload=NAME + name_bytes("t"), snapid=1))
breaks("names", named(LOCK_VDI, lock=2))
breaks("names", named(NEW_VDI, payload=name_bytes("new") * 2))

# In flight together.
breaks("id", request(DEFAULTS, bytes(32), 7), request(DEFAULTS, bytes(32), 7))
breaks("overlap", write(0, b"x" * 10), write(0, b"y" * 10, 9))
breaks("overlap-read", write(0, b"x" * 10), read(0, 10, 9))
breaks("overlap-read", read(0, 10, 9), write(0, b"x" * 10))
breaks("alone", create(6), create(6))
breaks("alone", create(7), read(7), more=["unslotted"])
fine(slots(6, vid, vid))
breaks("alone", obj(DISCARD, data_oid(vid, 7)), read(7, 1, 4095), more=[])
breaks("slot-order", create(7), slots(7, vid))
breaks("slot-order", slots(8, vid))

# Maps and objects.
breaks("create-exists", create(0))
fine(create(9))
breaks("unslotted", read(9))
breaks("unslotted", write(9))
breaks("unslotted", request(RELEASE_VDI, vdi_part(base=vid), s.ident()))
fine(name_request(LOCK_VDI, "disk", ident=s.ident()))
fine(slots(9, vid))
breaks("slot-value", slots(10, 0x123456))
breaks("slot-unchanged", slots(9, vid))
breaks("slot-range", head(SLOTS_AT - 4, bytes(4) + struct.pack("<I", vid)))
breaks("slot-range", head(SLOTS_AT + 4 * 12 + 1, b"\0"))
breaks("slot-range", slots(0, 0x6274, 1, v=hyper))
breaks("inode-header", head(520, bytes(8)))
fine(head(256, name_bytes("tag")), head(536, struct.pack("<Q", 64 << 20)))
breaks("inode-create", obj(CREATE, inode_oid(0x111111), 0, b"x"))
breaks("discard", obj(DISCARD, data_oid(vid, 11)))
fine(obj(DISCARD, data_oid(vid, 5)))
fine(slots(6, 0))
breaks("create-removed", create(6))

# Snapshots and locks.
new = tool.snapshot("disk", "one")
breaks("discard", obj(DISCARD, data_oid(vid, 4)))
breaks("unlocked", create(0, v=new, flags=F_COW, cow=data_oid(vid, 0)))
fine(name_request(LOCK_VDI, "disk", ident=s.ident()))
breaks("cow-base", create(0, v=new))
breaks("cow-base", create(0, v=new, flags=F_COW, cow=data_oid(vid, 1)))
fine(create(0, b"z" * (4 << 20), v=new))
fine(create(0, v=new, flags=F_COW, cow=data_oid(vid, 0)))
fine(slots(0, new, v=new))
breaks("old-vid", write(1))
breaks("clone-base", new_request("clone", s.ident(), size=1 << 20, base=new))
breaks("delete-mapped", name_request(DEL_VDI, "disk", ident=s.ident()))
breaks("tgt-flag", write(0, v=tool.new("free", 4 << 20), flags=F_TGT), more=["unlocked"])
fine(request(RELEASE_VDI, vdi_part(base=new), s.ident()))
fine(name_request(LOCK_VDI, "disk", lock=SHARED, ident=s.ident()))
fine(write(0, v=new, flags=F_TGT))
breaks("tgt-flag", write(0, v=new))

# Framing goes with these; another connection each.
for rule, raw in (("write-flag", request(WRITE, object_part(data_oid(new, 0)), 5, 0, b"x")),
                  ("write-flag", request(READ, object_part(data_oid(new, 0)), 5, F_WRITE, b"x")),
                  ("huge", request(CREATE, object_part(data_oid(new, 1)), 5, F_WRITE, length=1 << 30))):
    with Sheep(sys.argv[1]) as other:
        other.send(raw)
        try:
            check(other.receive().result == INVALID_PARMS, "it was done")
            other.receive()
            check(False, "the connection goes on")
        except Lost:
            pass
    got = set(broken())
    check(rule in got, f"{rule}: {got}")
    seen.update(got)

# Repeats after a connection was lost in the midst of something are no breach.
control(sys.argv[1][5:].rpartition("/")[0] + "/control", "fault read close-after")
with Sheep(sys.argv[1]) as other:
    other.send(object_request(READ, data_oid(new, 0), length=1, flags=F_TGT))
    try:
        other.receive()
        check(False, "an answer")
    except Lost:
        pass
fine(obj(WRITE, inode_oid(new), SLOTS_AT, struct.pack("<I", new), flags=F_TGT))
fine(create(0, v=new, flags=F_TGT | F_COW, cow=data_oid(vid, 0)))
fine(create(0, v=new, flags=F_TGT | F_COW, cow=data_oid(vid, 0)))
fine(obj(WRITE, data_oid(new, 0), 5, b"later", flags=F_TGT))
breaks("create-exists", create(0, v=new, flags=F_TGT | F_COW, cow=data_oid(vid, 0)))

with open(source, encoding="utf-8") as f:
    rules = set(re.findall(r'^\t\{ "([a-z-]+)" \},$', f.read(), re.M))
expect("rules", set(), rules ^ seen)
END
