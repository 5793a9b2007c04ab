#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 180
# tgt-admin --update and -e while initiators write and read back without a pause: an
# update that finds nothing to do, and updates of everything else, cost them neither a
# session nor a command.
. "$(dirname "$0")/lib/admin.sh"

load=$BUILD/bench/iscsi_load
[ -x "$load" ] || skip "there is no $load"
BUSY=4 OTHERS=300 SECONDS_OF_LOAD=8
t=iqn.2001-04.org.example:load
tgtd_start
mkdir "$dir/disks"
for n in $(seq $BUSY); do
	truncate -s 4M "$dir/disks/$n"
done
truncate -s 1M "$dir/disks/x" "$dir/disks/y"

# busy - the targets that initiators use.
busy()
{
	local n

	for n in $(seq $BUSY); do
		printf '<target %s%d>\n\tbacking-store %s\n</target>\n' $t "$n" "$dir/disks/$n"
	done
}

# others DISK KEYWORDS - as many again, and more, that nobody uses.
others()
{
	local n

	for n in $(seq $OTHERS); do
		printf '<target %s-other%d>\n\tbacking-store %s\n\t%s\n</target>\n' $t "$n" \
			"$dir/disks/$1" "$2"
	done
}

{ busy; others x ''; } >"$dir/same.conf"
# Another store for each, another parameter, all gone, and back.
{ busy; others y 'MaxQueueCmd 16'; } >"$dir/changed.conf"
busy >"$dir/gone.conf"

admin -e -c "$dir/same.conf"
loaders=()
for n in $(seq $BUSY); do
	"$load" --portal "$portal" --target "$t$n" --conns 2 --depth 8 --block 4k --read 50 \
		--time $SECONDS_OF_LOAD --verify --json >"$dir/load.$n" 2>&1 &
	loaders+=($!)
done
under_load()
{
	local pid

	for pid in "${loaders[@]}"; do
		running "$pid" || return 1
	done
}
logged_in()
{
	[ "$(adm --mode target --op show | grep -c 'I_T nexus: ')" -eq $((2 * BUSY)) ]
}
nexuses()
{
	adm --mode target --op show | awk '/^Target / {name = $3} /I_T nexus: / {print name, $3}'
}
wait_for 30 logged_in || fail "not all have logged in: $(cat "$dir"/load.*)"
before=$(nexuses)
updates=0 last=same end=$((SECONDS + SECONDS_OF_LOAD))
while under_load; do
	for conf in same same changed gone same; do
		said=$(admin -v --update ALL -c "$dir/$conf.conf") ||
			fail "update ($conf): $said"
		[ "$conf$last" != samesame ] || expect 'an update without a difference' '' "$said"
		last=$conf
		admin -e -c "$dir/$conf.conf"
		under_load || break
		# Later they may be about to log out.
		[ $SECONDS -ge $end ] || expect 'sessions' "$before" "$(nexuses)"
		updates=$((updates + 1))
	done
done
for n in $(seq $BUSY); do
	wait "${loaders[n - 1]}" || fail "the load of target $n: $(cat "$dir/load.$n")"
done
[ $updates -ge 5 ] || fail "only $updates updates while there was load"
