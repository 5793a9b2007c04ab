#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The server of the tests: locks of a cluster that has them, and the coherence of
# the maps of those that share one.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'it looks at locks that the cluster may not have'

locks()
{
	expect "locks $1" "$2" "$(sheep_control locks)"
}

# Without: as many as want one.
sheep_start --copies 1
sheep_vdi disk 64M
for kind in normal normal shared; do
	sheep lock disk "$kind" >/dev/null
done
sheep unlock disk
locks none ''

sheep_kill
three=(--locks --listen "unix:$dir/a,lax" --listen "unix:$dir/b,node=2,lax"
       --listen "unix:$dir/c,node=3,lax")
sheep_again "${three[@]}"
vid=$(sheep info disk | sed -n 's/^vid //p')
sheep_python "unix:$dir/a" "unix:$dir/b" "unix:$dir/c" <<'END'
a, b, c = s, Sheep(sys.argv[2]), Sheep(sys.argv[3])
vid = a.lookup("disk")
def lock(who, kind, result=0):
    expect("lock", result, who.ask(name_request(LOCK_VDI, "disk", lock=kind)).result)
# A normal lock keeps all others out, and any node may release it.
lock(a, NORMAL)
for who in a, b, c:
    lock(who, NORMAL, VDI_LOCKED)
    lock(who, SHARED, VDI_LOCKED)
b.release(vid, SHARED)                          # not of that type
lock(a, NORMAL, VDI_LOCKED)
b.release(vid, NORMAL)
# A shared one is one per node, and only that releases it.
lock(a, SHARED)
lock(a, SHARED, VDI_LOCKED)
lock(b, SHARED)
lock(c, NORMAL, VDI_LOCKED)
a.release(vid, SHARED)
a.release(vid, SHARED)
lock(c, NORMAL, VDI_LOCKED)
b.release(vid, SHARED)
lock(c, NORMAL)
a.release(vid, NORMAL)
a.release(0x654321, NORMAL)                     # nonsense is taken

# Maps.
def state(*wanted):
    got = control(sys.argv[1][5:].rpartition("/")[0] + "/sheep/control", "locks").split()
    expect("states", [f"{n + 1}={w}" for n, w in enumerate(wanted)], got[2:])
def read(who, oid, at, n, result, flags=F_TGT):
    expect("read", hex(result), hex(who.ask(object_request(
        READ, oid, at, length=n, flags=flags)).result))
lock(a, SHARED)
lock(b, SHARED)
state("modified", "invalidated")
read(b, inode_oid(vid), 0, SLOTS_AT, INODE_INVALIDATED)
read(b, inode_oid(vid), 0, INODE_BYTES, INODE_INVALIDATED)
read(b, inode_oid(vid), 0, SLOTS_AT, 0, 0)
state("modified", "invalidated")
read(b, inode_oid(vid), 0, REFS_AT, 0)
state("shared", "shared")
lock(c, SHARED)
state("shared", "shared", "shared")
a.create(data_oid(vid, 0), 0, b"x", flags=F_TGT)
state("shared", "shared", "shared")
a.set_slot(vid, 0, vid)
state("modified", "invalidated", "invalidated")
read(b, data_oid(vid, 0), 0, 1, INODE_INVALIDATED)
read(b, data_oid(vid, 0), 0, 1, 0, 0)
for op in WRITE, CREATE:
    expect("write", INODE_INVALIDATED, b.ask(object_request(
        op, data_oid(vid, 0), 0, b"y", flags=F_TGT)).result)
read(b, inode_oid(vid), 0, REFS_AT, 0, 0)
state("shared", "shared", "invalidated")
b.write(inode_oid(vid), 256, b"tag")            # no slot
state("shared", "shared", "invalidated")
b.discard(data_oid(vid, 0))
state("invalidated", "modified", "invalidated")
END
# Nobody releases; the connections are gone.  The locks are not.
locks shared "$vid shared 1=invalidated 2=modified 3=invalidated"
sheep_kill
sheep_again "${three[@]}"
locks 'after a death' ''
sheep lock disk >/dev/null
sheep_kill
sheep_again "${three[@]}"
locks 'after a death' "$vid normal"
sheep_control unlock "0x$vid"
locks unlocked ''
