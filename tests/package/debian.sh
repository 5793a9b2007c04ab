#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# debian.sh DIR - the packages in DIR, in a Debian 12 that this script makes: over
# Debian's tgt, upgraded, removed and purged; and the service in it, under systemd
# (service.sh) and OpenRC (openrc.sh).  Exit 77 after a reason where that cannot be.  The last line is the sum.

# shellcheck disable=SC2016 # what is in single quotes is for others to expand
set -Eeuo pipefail
packages=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
passed=0 skipped=0
# shellcheck source=boot.sh
. "$here/boot.sh"
# shellcheck source=service.sh
. "$here/service.sh"
# shellcheck source=openrc.sh
. "$here/openrc.sh"

say()
{
	printf -- '-- %s\n' "$*"
}

skip()
{
	printf 'skipped: %s\n0 passed, 0 failed, 1 skipped\n' "$*"
	trap - ERR
	exit 77
}

fail()
{
	trap - ERR
	printf 'FAIL: %s\n%s passed, 1 failed, %s skipped\n' "$*" "$passed" "$skipped"
	boot_stop
	exit 1
}

ok()
{
	passed=$((passed + 1))
	printf 'ok %s: %s\n' "$passed" "$*"
}

trap 'fail "line $LINENO: $BASH_COMMAND"' ERR

[ "$(id -u)" -eq 0 ] || skip "only root can make a Debian to install into"
for tool in mmdebstrap unshare; do
	command -v $tool >/dev/null || skip "$tool is not installed"
done

# What is mounted within $work is so in a namespace of its own only: out here it is
# an ordinary directory, and can be removed.
if [ -z "${PACKAGE_WORK:-}" ]; then
	unshare --mount --pid --fork true 2>/dev/null || skip "namespaces are not allowed here"
	PACKAGE_WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/tgtd-package.XXXXXX")
	export PACKAGE_WORK
	trap 'rm -rf --one-file-system "$PACKAGE_WORK"' EXIT
	trap - ERR
	code=0
	unshare --mount --propagation private --pid --mount-proc --fork --kill-child \
		"$here/debian.sh" "$packages" || code=$?
	exit "$code"
fi
work=$PACKAGE_WORK
root=$work/root

# --- a Debian ---------------------------------------------------------------

# From where this machine gets its packages.
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
	'Created-By: Packages' 'Origin: Debian' | sort -u >"$work/sources"
[ -s "$work/sources" ] || skip "apt here knows no Debian to get packages from"
release=$(awk '{ sub(/-.*/, "", $3); print $3; exit }' "$work/sources")

say "a new Debian, $release, with its own tgt"
mmdebstrap --quiet --mode=root --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' \
	--aptopt='Apt::Install-Recommends "false"' --skip=cleanup/apt \
	--include=tgt,systemd "$release" "$root" "$work/sources" >"$work/log" 2>&1 || {
	tail -n 5 "$work/log"
	skip "no Debian could be made"
}
# It has a /dev of its own: never that of this machine.
mount -t proc proc "$root/proc"

inside()
{
	DEBIAN_FRONTEND=noninteractive chroot "$root" "$@" </dev/null
}

# apt ARGS... - its words only if it fails.
apt()
{
	inside apt-get -o Dpkg::Use-Pty=0 -y "$@" >"$work/log" 2>&1 ||
		{ cat "$work/log"; fail "apt-get $*"; }
}

state()
{
	inside dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | tr -d ' ' | sed 's,^un$,,' || :
}

# expect WHAT WANTED GOT
expect()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# Our program, all files as they were packed, and the service on at boot.
check_installed()
{
	expect "version of $1" "$(sed -n 's/^Version: //p' <(dpkg-deb -f "$packages"/tgtd_*.deb))" \
		"$(inside tgtd --version)"
	expect "state of tgtd" ii "$(state tgtd)"
	expect "files that differ" '' "$(inside dpkg -V tgtd | grep -v ' c /etc/' || :)"
	expect "the service at boot" enabled "$(inside systemctl is-enabled tgtd.service)"
	[ "$(readlink "$root/lib/systemd/system/tgt.service")" = tgtd.service ] ||
		fail "tgt.service is not another name of tgtd.service"
	inside getent group tgt >/dev/null || fail "there is no group tgt"
	ok "$1"
}

# A daemon started by hand, with a LUN, as the service would.
check_serves()
{
	inside bash -ec '
		mkdir -p /run/tgtd
		tgtd -f --mgmt-group tgt --iscsi portal=127.0.0.1:0 2>/dev/null & pid=$!
		until tgtadm --op show --mode system >/dev/null 2>&1; do
			kill -0 $pid; sleep 0.1; done
		tgtimg --op new --file /srv/disk --size 8
		tgt-setup-lun -n disk -d /srv/disk >/dev/null
		tgtadm --op show --mode target | grep -q "Backing store path: /srv/disk"
		for type in rdwr aio uring; do
			tgtadm --op show --mode system | grep -q "^    $type"; done
		rm /srv/disk
		tgtadm --op delete --mode target --tid 1
		tgtadm --op delete --mode system
		wait $pid' || fail "the installed daemon does not serve"
	ok "it serves"
}

# The module finds its library, the script its own; no image is exported before
# somebody wants that.
check_rbd()
{
	[[ $(inside tgtimg --op list --bstype rbd --file rbd 2>&1 || :) == *'no conf file'* ]] ||
		fail "bs_rbd: $(inside tgtimg --op list --bstype rbd --file rbd 2>&1 || :)"
	inside tgt-rbdmap unmap
	expect "tgt-rbdmap at boot" disabled "$(inside systemctl is-enabled tgt-rbdmap.service || :)"
	ok "bs_rbd and tgt-rbdmap are there"
}

mkdir "$root/packages"
for deb in "$packages"/*.deb; do
	cp "$deb" "$root/packages/$(dpkg-deb -f "$deb" Package).deb"
done

say "over Debian's tgt, with a configuration of its administrator"
expect "state of Debian's tgt" ii "$(state tgt)"
mkdir -p "$root/etc/tgt/conf.d"
printf '<target iqn.2001-04.org.example:kept>\n</target>\n' >"$root/etc/tgt/conf.d/mine.conf"
echo '# mine' >>"$root/etc/tgt/targets.conf"
config=$(cat "$root/etc/tgt/targets.conf" "$root/etc/tgt/conf.d/mine.conf")
why=$(boot_possible) || {
	say "skipped, all that needs systemd: $why"
	skipped=1
}
if [ "$skipped" -eq 0 ]; then
	check_takeover
else
	apt -o Dpkg::Options::=--force-confold install /packages/tgtd.deb
fi
expect "state of Debian's tgt" rc "$(state tgt)"
check_installed "installed over Debian's tgt"
check_serves
expect "the configuration" "$config" "$(cat "$root/etc/tgt/targets.conf" "$root/etc/tgt/conf.d/mine.conf")"
ok "the configuration is as it was"

say "Debian's tgt is purged, and leaves ours alone"
apt purge tgt
expect "state of Debian's tgt" '' "$(state tgt)"
expect "the configuration" "$config" "$(cat "$root/etc/tgt/targets.conf" "$root/etc/tgt/conf.d/mine.conf")"
check_installed "Debian's tgt is purged"

say "an upgrade"
inside bash -ec '
	cd /packages && dpkg-deb -R tgtd.deb /tmp/next
	sed -i "s/^Version: .*/&+next/" /tmp/next/DEBIAN/control
	dpkg-deb --root-owner-group -Znone -b /tmp/next /packages/next.deb >/dev/null'
apt install /packages/next.deb
[[ $(inside dpkg-query -W -f='${Version}' tgtd) == *+next ]] || fail "not upgraded"
expect "the configuration" "$config" "$(cat "$root/etc/tgt/targets.conf" "$root/etc/tgt/conf.d/mine.conf")"
check_installed "upgraded"

say "the other packages"
for deb in "$packages"/*.deb; do
	name=$(dpkg-deb -f "$deb" Package)
	case $name in
	tgtd | *-dbgsym) continue ;;
	esac
	apt --allow-downgrades install /packages/tgtd.deb "/packages/$name.deb"
	expect "state of $name" ii "$(state "$name")"
	ok "$name installs"
	[ "$name" != tgtd-rbd ] || check_rbd
	apt purge "$name"
done

say "removed, and purged"
apt remove tgtd
expect "state of tgtd" rc "$(state tgtd)"
[ ! -e "$root/usr/sbin/tgtd" ] || fail "the program is still there"
expect "the configuration" "$config" "$(cat "$root/etc/tgt/targets.conf" "$root/etc/tgt/conf.d/mine.conf")"
ok "removed, the configuration kept"
apt install /packages/tgtd.deb
check_installed "installed again"
[ "$skipped" -eq 1 ] || check_service
check_openrc
apt purge tgtd
expect "state of tgtd" '' "$(state tgtd)"
[ -e "$root/etc/tgt/conf.d/mine.conf" ] || fail "a file that is the administrator's was removed"
left=$(cd "$root" && find usr lib/systemd etc var/lib/systemd -name '*tgt*' \
	! -path 'usr/share/doc/*' ! -name 'tgt' ! -path '*/dpkg/*' 2>/dev/null)
expect "files left behind" '' "$left"
ok "purged"
printf '%s passed, 0 failed, %s skipped\n' "$passed" "$skipped"
