#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Switching the write cache off by tgtadm flushes what is in it: initiators that
# see it off send no SYNCHRONIZE CACHE for what they wrote before.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"

# The caching mode page, with WCE as given.
caching()
{
	echo "mode_page=8:0:18:$1:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0"
}

update()
{
	adm --mode logicalunit --op update --tid "$tid" --lun 1 --params "$1" 2>"$dir/update.err"
}

error_disk 8M 'op=flush;error=EIO'
session_open s "$(url 1)"
tells s good write 0 8 1

# It fails, and that is said: the cache is off all the same.
touch "$rules_on"
update "$(caching 0)"
grep -q '^tgtadm: warning: .*cache' "$dir/update.err" || fail "said: $(cat "$dir/update.err")"
update vendor_id=OTHER
expect "an update that leaves the cache alone" "" "$(cat "$dir/update.err")"
rm "$rules_on"

update "$(caching 4)"
expect "on" "" "$(cat "$dir/update.err")"
update "$(caching 0)"
expect "off, flushed" "" "$(cat "$dir/update.err")"
ask s tur
session_close s
adm --mode target --op delete --tid "$tid"

# A store that hangs: the call waits for it, the daemon and a delete do not.
error_disk 8M 'op=flush;hang=yes'
touch "$rules_on"
update "$(caching 0)" &
updater=$!
off()
{
	[ "$(python "$(url 1)" <<'END'
with Session(sys.argv[1]) as s:
    s.ready()
    page = s.ok(s.command(bytes([0x1a, 8, 8, 0, 255, 0]), 255)).data
    print(page[6] >> 2 & 1)
END
	)" = 0 ]
}
wait_for 20 off || fail "the cache is still on"
running "$updater" || fail "the update did not wait for the flush"
adm --mode logicalunit --op delete --tid "$tid" --lun 1 --force 2>/dev/null &
deleter=$!
wait_for 10 eval '! show target | grep -qxF "        LUN: 1"' || fail "the LUN is still there"
rm "$rules_on"
wait_for 20 eval "! running $updater" || fail "the update does not end"
wait "$updater"
wait_for 20 eval "! running $deleter" || fail "the delete does not end"
wait "$deleter"
