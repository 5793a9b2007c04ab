# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For debian.sh: conf/tgt.openrc under the OpenRC of that Debian: it starts the installed
# daemon, with its limits, applies the configuration, and stops it, in each of its ways.
# What the script needs of other services is there in name only.

# shellcheck disable=SC2016,SC2154 # what is in single quotes is for others to expand; $root is debian.sh's

rc()
{
	inside rc-service tgtd "$@" >"$work/log" 2>&1
}

rc_works()
{
	rc "$@" || { cat "$work/log"; fail "rc-service tgtd $*"; }
	! grep -iE 'unable|error|usage|need one' "$work/log" || fail "rc-service tgtd $*: $(cat "$work/log")"
}

check_openrc()
{
	local script=$root/etc/init.d/tgtd service saved

	say "the service, under OpenRC"
	saved=$(cat "$root/etc/tgt/conf.d/mine.conf")
	apt install openrc
	sed 's|/usr/local/sbin/|/usr/sbin/|' "$here/../../conf/tgt.openrc" >"$script"
	chmod 755 "$script"
	mkdir -p "$root/etc/conf.d"
	echo 'TGTD_OPTIONS="--iscsi portal=127.0.0.1:0"' >"$root/etc/conf.d/tgtd"
	for service in net localmount; do
		printf '#!/sbin/openrc-run\nstart() { :; }\n' >"$root/etc/init.d/$service"
		chmod 755 "$root/etc/init.d/$service"
	done
	inside bash -c 'mkdir -p /run/openrc && echo default >/run/openrc/softlevel'

	rc_works start
	rc_works status
	inside tgtadm --op show --mode system | grep -q '^    State: ready' || fail "it is not ready"
	inside tgtadm --op show --mode target | grep -q ':kept$' || fail "the configuration was not applied"
	# As many as the script asks for, where that is allowed at all.
	expect "files that it may open" "$(inside bash -c 'ulimit -n 1048576 2>/dev/null; ulimit -n')" \
		"$(inside bash -c 'awk "/^Max open files/ { print \$4 }" /proc/$(cat /run/tgtd.pid)/limits')"
	echo '<target iqn.2001-04.org.example:more></target>' | sed 's/></>\n</' >>"$root/etc/tgt/conf.d/mine.conf"
	rc_works reload
	inside tgtadm --op show --mode target | grep -q ':more$' || fail "the reload did nothing"
	rc_works restart
	inside tgtadm --op show --mode target | grep -q ':more$' || fail "after a restart it is empty"
	printf '%s\n' "$saved" >"$root/etc/tgt/conf.d/mine.conf"
	rc_works forcedreload
	! inside tgtadm --op show --mode target | grep -q ':more$' || fail "the forced reload did nothing"
	rc_works forcedstop
	! rc status || fail "it is there after a forced stop"
	[ ! -e "$root/run/tgtd.pid" ] || fail "its pid file is left by a forced stop"
	rc_works start
	rc_works stop
	! rc status || fail "it is there after a stop"
	[ ! -e "$root/run/tgtd.pid" ] || fail "its pid file is left"
	apt purge openrc
	rm -rf "$script" "$root/etc/conf.d" "$root/etc/init.d/net" "$root/etc/init.d/localmount" "$root/run/openrc"
	ok "OpenRC starts, reloads and stops it"
}
