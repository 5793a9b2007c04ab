#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A server that hangs: commands end with sense data after "timeout=", not before;
# meanwhile task management is answered and others are served, and the LUN can be
# deleted while it hangs.  When it goes on, so does the LUN, and nothing that was
# given up lands later on what was written since.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'it is stopped'

sheep_start
sheep_vdi disk 64M
sheep_lun disk --bsopts timeout=4
lun_new "$tid" 2 "$(disk_file 8M)"
io "$(url 1)" "write -q -P 1 0 64M"
# Of the same VDI without a lock: it has to find the map as it stays.
lun_new "$tid" 3 "$sheep_address:disk" --bstype sheepdog --bsopts 'timeout=3600;lock=none'

python "$(url 1)" "$(url 2)" "$TGTADM" "$sheep_pid" <<'END'
import os, signal
url, other, tgtadm, sheep = sys.argv[1:]
TIMEOUT = 4                             # seconds
sheep = int(sheep)

s = Session(url)
s.ready()
os.kill(sheep, signal.SIGSTOP)
start = time.monotonic()
hung = [s.submit(write16(2048 * i, 8), write=b"\2" * 4096) for i in range(12)]
hung += [s.submit(read16(2048 * i, 8), read=4096) for i in range(12, 16)]

# Others.
check(quick("TEST UNIT READY", lambda: s.command(bytes(6))).good, "not ready")
with quick("a login", lambda: Session(other)) as o:
    o.ready()
    quick("I/O on LUN 2", lambda: o.write(8, b"\3" * 4096))
    check(o.read(8, 8) == b"\3" * 4096, "LUN 2 lies")
for call in "--op show --mode target", "--op stat --mode sys":
    quick(call, lambda: subprocess.run([tgtadm, *call.split()], check=True,
                                       stdout=subprocess.DEVNULL))
# The end of the time.
for p in hung:
    a = p.wait(60)
    check(a.status == CHECK_CONDITION and a.key != UNIT_ATTENTION, "a command that hangs:", a)
    check(p.seconds > TIMEOUT - 1, "ended after", p.seconds, "s")

# Task management, while more hang.
hung = [s.submit(write16(2048 * i, 8), write=b"\4" * 4096) for i in range(12)]
quick("ABORT TASK", lambda: s.abort(hung[0]).wait())
quick("LOGICAL UNIT RESET", lambda: s.reset_lun().wait())

os.kill(sheep, signal.SIGCONT)
s.destroy()
with Session(url) as s:
    s.ready()
    deadline = time.monotonic() + 60
    while not s.command(write16(0, 8), write=b"\5" * 4096).good:
        check(time.monotonic() < deadline, "it does not come back")
    for i in range(16):
        s.write(2048 * i, b"\6" * 4096)
    for i in range(16):
        check(s.read(2048 * i, 8) == b"\6" * 4096, "what was given up has landed on block", 2048 * i)
END
head -c 64M /dev/zero | tr '\0' '\1' >"$dir/model"
for i in {0..15}; do
	head -c 4096 /dev/zero | tr '\0' '\6' |
		dd of="$dir/model" bs=1M seek="$i" conv=notrunc status=none
done
sheep compare disk "$dir/model"

# deletes LUN - by force, with writes under way that nobody answers.
deletes()
{
	qemu-io -f raw -c 'aio_write -q -P 7 0 1M' -c aio_flush "$(url "$1")" >/dev/null 2>&1 &
	writer=$!
	on_their_way()
	{
		"$TGTADM" --op stat --mode lu --tid "$tid" --lun "$1" |
			awk 'NR > 1 && $9 > $11 {yes = 1} END {exit !yes}'
	}
	wait_for 20 on_their_way "$1" || fail "no write of LUN $1 is on its way"
	adm --mode logicalunit --op delete --tid "$tid" --lun "$1" --force &
	deleter=$!
	wait_for 30 eval "! running $deleter" || fail "the delete of LUN $1 does not end"
	wait "$deleter"
	has_not "$(show target)" "        LUN: $1"
	wait_for 60 eval "! running $writer" || fail 'the initiator hangs'
	wait "$writer" || :
	io "$(url 2)" 'write -q -P 8 1M 64k' 'read -q -P 8 1M 64k'
}
kill -STOP "$sheep_pid"
deletes 3			# its time would be an hour
kill -CONT "$sheep_pid"
sheep_kill			# and now it is gone
deletes 1
show system >/dev/null
sheep_again
sheep info disk >/dev/null
