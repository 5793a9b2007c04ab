# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For tests with a Ceph cluster of their own, after common.sh:
#
#	ceph_start [OPTION=VALUE...]	services/ceph-up with these; memstore unless
#					STORE=bluestore; sets $ceph_conf and $ceph_opts
#	rbd ARG..., ceph ARG...		as client.tgt, and as client.admin
#	ceph_user NAME CAPS...		another client, client.NAME
#	ceph_signal SIGNAL DAEMON...	to mon.a or osd.N
#	ceph_revive			the daemons that were killed (bluestore only)
#	ceph_waits			prints what the OSDs have not answered, and why
#	ceph_stores			LUNs are images from now on: see lun_new
#	ceph_image SIZE			prints the name of a new image
#	ceph_disk SIZE [LUN-OPTION...]	the common case: ceph_stores, and a daemon with a
#					target whose LUN 1 is the new image "disk"
#
# The cluster ends with the test, also where the test stopped a daemon and failed.

# shellcheck disable=SC2034,SC2154 # of common.sh, for the tests
ceph_dir='' ceph_conf='' ceph_opts=''
services=$SRC/tests/services

unset CEPH_CONF CEPH_ARGS CEPH_KEYRING

# shellcheck disable=SC2120 # its arguments are for the tests
ceph_start()
{
	local c

	for c in ceph-mon ceph-osd rbd; do
		type -P "$c" >/dev/null || skip "$c is not installed"
	done
	[ -e "$BUILD/modules/bs_rbd.so" ] || skip 'bs_rbd was not built: librbd-dev is missing'
	ceph_dir=$dir/ceph
	at_end+=(ceph_end)
	ceph_conf=$(env STORE=memstore "$@" "$services/ceph-up" "$ceph_dir") ||
		fail 'there is no cluster'
	ceph_opts="conf=$ceph_conf;id=tgt"
}

ceph_end()
{
	"$services/ceph-down" "$ceph_dir"
}

ceph_revive()
{
	"$services/ceph-up" "$ceph_dir" >/dev/null
}

rbd()
{
	command rbd -c "$ceph_conf" --id tgt "$@"
}

ceph()
{
	command ceph -c "$ceph_conf" "$@"
}

# ceph_user NAME mon CAPS osd CAPS...
ceph_user()
{
	(umask 077 && ceph auth get-or-create "client.$1" "${@:2}" >"$ceph_dir/client.$1.keyring")
}

ceph_pid()
{
	cat "$ceph_dir/run/$1.pid"
}

# ceph_signal SIGNAL DAEMON...
ceph_signal()
{
	local daemon pid

	for daemon in "${@:2}"; do
		pid=$(ceph_pid "$daemon")
		kill "-$1" "$pid"
		[ "$1" != KILL ] || wait_for 10 eval "! running $pid"
	done
}

# Stopped ones do not say.
ceph_waits()
{
	local socket

	for socket in "$ceph_dir"/run/osd.*.asok; do
		timeout 5 ceph --admin-daemon "$socket" dump_ops_in_flight 2>&1 |
			sed -n "s|.*\"flag_point\": \(.*\),|$(basename "$socket" .asok): \1|p" |
			sort | uniq -c
	done
}

ceph_stores()
{
	[ -e "$BUILD/modules/bs_rbd.so" ] || skip 'bs_rbd was not built: librbd is not installed'
	BSTYPE=rbd BSOPTS=$ceph_opts
}

ceph_disk()
{
	ceph_stores
	rbd create --size "$1" disk
	tgtd_start
	target_new
	lun_new "$tid" 1 disk "${@:2}"
	acl_bind "$tid" ALL
}

ceph_image()
{
	local name

	name=$(basename "$(mktemp -u "$dir/image.XXXXXX")")
	rbd create --size "$1" "$name"
	printf '%s\n' "$name"
}
