#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A cluster with locks: a LUN holds one while it is open, follows a snapshot with it,
# takes it again after the server was gone, and leaves none behind.  A lock that a
# dead tgtd has left is not taken without being told to.  Two gateways that share one
# see each other's writes at once.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'it looks at locks'
sheep_need_module

nodes=(--locks --shift 20 --listen "unix:$dir/two,node=2")
locks()
{
	[ "$(sheep_control locks)" = "$1" ]
}
locked()
{
	wait_for 20 locks "$1" || fail "$2: locks '$(sheep_control locks)', expected '$1'"
}
vid()
{
	sheep info "$1" | sed -n 's/^vid //p'
}

sheep_start "${nodes[@]}"
sheep_vdi disk 32M
first=$(vid disk)
sheep_lun disk --bsopts lock=exclusive
locked "$first normal" 'an exclusive one'
for lock in exclusive shared; do
	adm_fails 22 lock --mode logicalunit --op new --tid "$tid" --lun 2 \
		--backing-store "unix:$dir/two:disk" --bstype sheepdog --bsopts "lock=$lock"
done
session_open s "$(url 1)"
tells s good write 0 8 1
sheep snapshot disk one >/dev/null
tells s good write 0 8 2
second=$(vid disk)
[ "$first" != "$second" ] || fail 'there is no snapshot'
locked "$second normal" 'after a snapshot'
sheep_kill
sheep_again "${nodes[@]}"
tells s good write 0 8 3
locked "$second normal" 'after the server was gone'
session_close s
adm --mode logicalunit --op delete --tid "$tid" --lun 1
locked '' 'after the LUN'

note 'shared, by one'
lun_new "$tid" 1 "$sheep_address:disk" --bstype sheepdog --bsopts lock=shared
locked "$second shared 1=modified" 'a shared one'
session_open s "$(url 1)"
sheep_kill
sheep_again "${nodes[@]}"
tells s good write 8 8 4
locked "$second shared 1=modified" 'after the server was gone'

note 'what a dead tgtd has left'
session_kill s
tgtd_kill
tgtd_start
target_new
acl_bind "$tid" ALL
locked "$second shared 1=modified" 'after the death of tgtd'
adm_fails 22 break_lock --mode logicalunit --op new --tid "$tid" --lun 1 \
	--backing-store "$sheep_address:disk" --bstype sheepdog --bsopts lock=shared
lun_new "$tid" 1 "$sheep_address:disk" --bstype sheepdog --bsopts 'lock=shared;break_lock=yes'
locked "$second shared 1=modified" 'broken and taken'

note 'shared, by two'
lun_new "$tid" 2 "unix:$dir/two:disk" --bstype sheepdog --bsopts lock=shared
python "$(url 1)" "$(url 2)" "$dir/model" <<'END'
import random
rng = random.Random(3)
urls, path = sys.argv[1:3], sys.argv[3]
sessions = [Session(u) for u in urls]
for s in sessions:
    s.ready()
model = bytearray(32 << 20)
model[:8192] = b"\3" * 4096 + b"\4" * 4096
for n in range(300):
    way = rng.randrange(2)
    blocks = rng.choice((1, 8, 100, 2048))
    lba = rng.randrange(65536 - blocks)
    data = rng.randbytes(512 * blocks)
    sessions[way].write(lba, data)
    model[512 * lba:512 * (lba + blocks)] = data
    for s in sessions[::-1] if way else sessions:
        back = max(0, lba - rng.randrange(100))
        n = min(blocks + 200, 65536 - back)
        check(s.read(back, n) == model[512 * back:512 * (back + n)], "read at", back)
for s in sessions:
    s.close()
with open(path, "wb") as f:
    f.write(model)
END
sheep compare disk "$dir/model"
for lun in 1 2; do
	qemu-img compare -f raw -F raw "$dir/model" "$(url $lun)"
done
tgtd_stop
locked '' 'at the end'
