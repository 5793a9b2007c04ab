#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A host with two paths (libiscsi) writes while the active path moves to and fro.  It
# goes to the other path when one is in standby, as dm-multipath does; nothing that
# was acknowledged is lost, whichever path reads it.
. "$(dirname "$0")/lib/initiators.sh"

portal_of()
{
	show portal | sed -n "s/^Portal: \(.*\),$1\$/\1/p"
}

tgtd_start --iscsi portal=127.0.0.1:0,tpgt=1,portal=127.0.0.1:0,tpgt=2 --reactors 2
target_new
lun_new "$tid" 1 "$(disk_file 8M)"
acl_bind "$tid" ALL
adm --mode tpg --op new --tid "$tid" --tpg 1
adm --mode tpg --op new --tid "$tid" --tpg 2 --params state=standby
portal=$(portal_of 1) first=$(url 1)
portal=$(portal_of 2) second=$(url 1)

python "$first" "$second" "$TGTADM" "$tid" <<'END'
WRITES, MOVES, BLOCKS = 2000, 20, 1024
first, second, tgtadm, tid = sys.argv[1:]
paths = [Session(first), Session(second)]
NOT_READY, STANDBY, STATE_CHANGED = 2, 0x040B, 0x2A06
moves = 0

def state(tpg, word):
    subprocess.run([tgtadm, "--mode", "tpg", "--op", "update", "--tid", tid, "--tpg", str(tpg),
                    "--params", "state=" + word], check=True)

def command(cdb, **how):
    """By the path that takes it."""
    global moves
    for _ in range(100):
        a = paths[0].command(cdb, **how)
        if a.good:
            return a
        if (a.key, a.asc) == (NOT_READY, STANDBY):
            paths.reverse()
            moves += 1
        else:
            check(a.key == UNIT_ATTENTION, "neither standby nor attention:", a)
    check(False, "no path takes the command")

for p in paths:
    p.command(bytes(6))                 # power on
active, written = 1, {}
for n in range(WRITES):
    if n % (WRITES // MOVES) == 50:     # in the middle, with nothing to stop the writer
        other = 3 - active
        state(active, "standby")
        state(other, "active_optimized")
        active = other
    lba, byte = n * 7 % BLOCKS, n % 251 + 1
    command(write16(lba, 1), write=bytes([byte]) * 512)
    written[lba] = byte
check(moves >= MOVES, "the path moved", moves, "times")

for tpg in 1, 2:
    state(tpg, "active_optimized")
for p in paths:
    while not p.command(bytes(6)).good:
        pass
    for lba, byte in written.items():
        check(p.read(lba, 1) == bytes([byte]) * 512, "block", lba, "is not what was written")
    p.destroy()
END
active=$(adm --mode tpg --op show --tid "$tid" | grep -c 'active_optimized')
expect "active groups" 2 "$active"
