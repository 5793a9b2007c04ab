# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For debian.sh, with boot.sh: the service under systemd, in the Debian that was made.
#
#	check_takeover	our package is installed while Debian's tgt serves
#	check_service	it starts, is watched, reloads and is upgraded under load, stops
#
# $root is that Debian, $work a directory for files.
# shellcheck disable=SC2154

load=${BUILD:-build}/bench/iscsi_load
service_iqn=iqn.2001-04.org.example:service

# service_property NAME
service_property()
{
	booted systemctl show -p "$1" --value tgtd.service
}

# service_ready WHAT - it says so, and the targets are there.
service_ready()
{
	local n

	for ((n = 0; n < 300; n++)); do
		[ "$(service_property ActiveState)" != active ] || break
		sleep 0.1
	done
	[ "$(service_property ActiveState)" = active ] || {
		booted journalctl --no-pager -u tgtd.service
		fail "$1: the service does not start"
	}
	expect "targets after $1" "$service_iqn $service_iqn-other" \
		"$(booted tgtadm --op show --mode target | sed -n 's/^Target [0-9]*: \(.*:service\)/\1/p' | sort | xargs)"
	expect "state after $1" '    State: ready' \
		"$(booted tgtadm --op show --mode system | sed -n 2p)"
}

# service_conf MORE - of /etc/tgt/conf.d
service_conf()
{
	cat >"$root/etc/tgt/conf.d/service.conf" <<-END
	<target $service_iqn>
		backing-store /srv/disk
	</target>
	<target $service_iqn-other>
		backing-store /srv/missing
	</target>
	$1
	END
}

said()
{
	[[ $(booted journalctl --no-pager -o cat -u tgtd.service) == *"$1"* ]]
}

# until_true SECONDS COMMAND...
until_true()
{
	local n

	for ((n = 0; n < $1 * 10; n++)); do
		! "${@:2}" || return 0
		sleep 0.1
	done
	return 1
}

service_loads()
{
	(trap - ERR; near "$load" --portal 127.0.0.1:3260 --target $service_iqn --conns 2 --depth 8 \
		--read 50 --region 1m --verify --time "$1" >"$work/load" 2>&1) &
	loader=$!
	until_true 20 service_has_sessions || fail "no initiator gets in: $(cat "$work/load")"
}

service_has_sessions()
{
	[[ $(booted tgtadm --op show --mode target) == *'I_T nexus: '* ]]
}

service_starts()
{
	local exposure

	boot_start "$root" || { tail "$root.console"; fail "the Debian does not boot"; }
	service_ready "the boot"
	until_true 10 said 'left out: target' || fail "the journal does not name the disk that is missing"
	expect "its other name" tgtd.service "$(booted systemctl show -p Id --value tgt.service)"
	expect "Type" notify "$(service_property Type)"
	exposure=$(booted systemd-analyze security tgtd.service --no-pager |
		sed -n 's/.*exposure level for tgtd.service: \([0-9.]*\).*/\1/p')
	expect "exposure that tgt.service(8) names" "$exposure" \
		"$(zcat -f "$root"/usr/share/man/man8/tgt.service.8* | sed -n 's/^says \(.*\)\.$/\1/p')"
	ok "the service starts at boot, without a disk that is missing"
}

service_reloads()
{
	local pid

	pid=$(service_property MainPID)
	service_loads 6
	# The disk that is missing is an error now, and nothing is done.
	! booted systemctl reload tgtd.service 2>/dev/null || fail "a reload without a disk"
	rm "$root/etc/tgt/conf.d/service.conf"
	truncate -s 8M "$root/srv/missing"
	service_conf ''
	booted systemctl reload tgtd.service
	[[ $(booted tgtadm --op show --mode target) == *'path: /srv/missing'* ]] ||
		fail "a reload does not add the disk that is back"
	service_conf '<target iqn.2001-04.org.example:more>
	</target>'
	booted systemctl reload tgt.service
	[[ $(booted tgtadm --op show --mode target) == *': iqn.2001-04.org.example:more'* ]] ||
		fail "a reload does not add a target"
	service_conf ''
	booted systemctl reload tgtd.service
	kill -0 $loader || fail "the load ended before the reloads: $(cat "$work/load")"
	wait $loader || fail "reloads were felt: $(cat "$work/load")"
	service_ready "reloads"
	expect "process after reloads" "$pid" "$(service_property MainPID)"
	ok "reloads under load are not felt"
}

# service_restarts WHAT SIGNAL
service_restarts()
{
	local pid

	pid=$(service_property MainPID)
	booted bash -c "kill -$2 $pid"
	until_true 60 service_has_other_process "$pid" || fail "$1: it is not restarted"
	service_ready "$1"
	ok "it is back after $1"
}

service_has_other_process()
{
	local pid

	pid=$(service_property MainPID)
	[ "$pid" != 0 ] && [ "$pid" != "$1" ]
}

service_stops()
{
	service_loads 60
	booted systemctl stop tgtd.service
	expect "how it ended" success "$(service_property Result)"
	expect "its exit code" '1 0' \
		"$(service_property ExecMainCode) $(service_property ExecMainStatus)"
	until_true 10 said 'all is closed' || fail "it was ended before its end"
	! wait $loader || fail "an initiator noticed nothing"
	[ ! -e "$root/run/tgtd/socket.0" ] || fail "a socket was left"
	booted systemctl start tgtd.service
	service_ready "a start after a stop"
	ok "it stops with an initiator logged in"
}

# The package of Debian stops its daemon, and ours is started with the same targets.
check_takeover()
{
	local before

	apt --download-only install /packages/tgtd.deb
	boot_start "$root" || { tail "$root.console"; fail "the Debian does not boot"; }
	until_true 30 service_of_debian_serves || {
		booted journalctl --no-pager -u tgt.service
		fail "Debian's tgt does not start"
	}
	before=$(booted tgtadm --op show --mode target | grep ^Target)
	booted env DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -y \
		-o Dpkg::Options::=--force-confold install /packages/tgtd.deb >"$work/log" 2>&1 ||
		{ cat "$work/log"; fail "it cannot be installed over a tgt that runs"; }
	expect "the service" active "$(booted systemctl is-active tgtd.service)"
	expect "targets" "$before" "$(booted tgtadm --op show --mode target | grep ^Target)"
	booted tgtadm --op show --mode system | grep >/dev/null '^    uring' ||
		fail "it is not ours that serves"
	boot_stop
	ok "installed while Debian's tgt serves"
}

service_of_debian_serves()
{
	[ "$(booted systemctl is-active tgt.service || :)" = active ]
}

# Sessions stay, and the new program runs after the next restart.
service_is_upgraded()
{
	local pid

	pid=$(service_property MainPID)
	service_loads 6
	booted env DEBIAN_FRONTEND=noninteractive dpkg -i /packages/next.deb >"$work/log" 2>&1 ||
		{ cat "$work/log"; fail "the upgrade"; }
	kill -0 $loader || fail "the load ended before the upgrade: $(cat "$work/load")"
	wait $loader || fail "the upgrade was felt: $(cat "$work/load")"
	expect "process after an upgrade" "$pid" "$(service_property MainPID)"
	booted systemctl restart tgtd.service
	service_ready "a restart after an upgrade"
	ok "an upgrade under load is not felt"
}

check_service()
{
	say "the service, under systemd"
	rm -f "$root/srv/missing"
	truncate -s 16M "$root/srv/disk"
	service_conf ''
	mkdir -p "$root/etc/systemd/system/tgtd.service.d"
	printf '[Service]\nWatchdogSec=3\n' >"$root/etc/systemd/system/tgtd.service.d/sooner.conf"
	service_starts
	service_reloads
	service_restarts "a kill -9" KILL
	service_restarts "a thread that does not answer" STOP
	service_is_upgraded
	service_stops
	boot_stop
	rm -r "$root/etc/systemd/system/tgtd.service.d" "$root/etc/tgt/conf.d/service.conf"
}
