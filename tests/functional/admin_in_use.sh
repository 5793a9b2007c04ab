#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An update leaves sessions alone: what is the same is not touched, what they would
# feel is named and left, and with -f it is done.  A tgt-admin that is killed leaves
# all or nothing.
. "$(dirname "$0")/lib/admin.sh"

t=iqn.2001-04.org.example
tgtd_start
a=$(disk_file 8M) b=$(disk_file 8M) c=$(disk_file 8M)

# both EXTRA-OF-USED PATH-OF-USED EXTRA-OF-OTHER
both()
{
	conf <<-END
	<target $t:other>
		backing-store $c
		$3
	</target>
	<target $t:used>
		<backing-store $2>
			lun 1
		</backing-store>
		$1
	</target>
	END
}

both '' "$a" ''
admin -e -c "$conf"
iqn=$t:used
session_open s "$(url 1)"
tid=$(adm --mode target --op show | sed -n "s/^Target \(.*\): $t:used$/\1/p")
sessions=$(show conn --tid "$tid")

stays()
{
	tells s alive alive
	expect "sessions after $*" "$sessions" "$(show conn --tid "$tid")"
}

note 'nothing to do'
for _ in 1 2 3; do
	unchanged admin --update ALL -c "$conf"
	unchanged admin -e -c "$conf"
done
tells s good check
stays 'updates without a difference'

note 'what is not felt is done under the session'
both "<backing-store $b>
		lun 2
	</backing-store>
	MaxQueueCmd 32
	initiator-address 127.0.0.0/8
	incominguser u1 secret-of-u1" "$a" 'MaxQueueCmd 16'
expect 'dry run' 6 "$(admin -p --update ALL -c "$conf" | wc -l)"
admin --update ALL -c "$conf"
ask s tur
[[ $reply == good || $reply == sense\ 6/* ]] || fail "after an update: $reply"
tells s good check
stays 'an update that is not felt'
unchanged admin --update ALL -c "$conf"

note 'what is felt is named, and only that target is left'
both 'MaxQueueCmd 8' "$b" 'MaxQueueCmd 8'
admin_fails 22 "Target with tid $tid ($t:used) is in use, it won't be updated." -e -c "$conf"
show target --tid "$tid" | grep >"$dir/out" MaxQueueCmd=32
tells s good check
stays 'an update that is felt'
unchanged admin_fails 22 'is in use' --update "$t:used" -c "$conf"
unchanged admin_fails 22 "it won't be deleted" --delete "tid=$tid"
unchanged admin_fails 22 'is in use' --update "tid=$tid" -c /dev/null
tells s good check

note 'unless it is forced'
admin -f --update "$t:used" -c "$conf"
show target --tid "$tid" | grep >"$dir/out" MaxQueueCmd=8
ask s tur
[[ $reply == lost || $reply == sense\ 6/* ]] || fail "after a disk was exchanged: $reply"
session_close s
admin --delete "$t:used"
expect targets 1 "$(adm --mode target --op show | grep -c ^Target)"
admin --offline ALL
adm --mode target --op show | grep >"$dir/out" 'State: offline'
admin --ready ALL
adm --mode target --op show | grep >"$dir/out" 'State: ready'
expect 'tgt-admin --show' "$(adm --mode target --op show)" \
	"$(PATH=$(dirname "$TGTADM"):$PATH admin --show)"

note 'killed in the midst'
truncate -s 1M "$dir/shared.img"
for n in $(seq 300); do
	printf '<target %s:m%03d>\n\tbacking-store %s\n</target>\n' "$t" "$n" "$dir/shared.img"
done >"$dir/many.conf"
count()
{
	adm --mode lld --op show | grep -c '^        Target ' || :
}
settled()
{
	local n

	n=$(count)
	[ "$n" = 1 ] || [ "$n" = 300 ]
}
for ms in 20 60 100 140 180 240; do
	printf "<target %s:one>\n</target>\n" "$t" >"$dir/one.conf"
	admin -e -c "$dir/one.conf"
	"$SRC/scripts/tgt-admin" -e -c "$dir/many.conf" &
	pid=$!
	python3 -c "import time; time.sleep($ms / 1000)"
	kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" || :
	wait_for 20 settled || fail "killed after $ms ms: $(count) targets"
done
