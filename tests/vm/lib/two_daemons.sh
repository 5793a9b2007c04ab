# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# dm-multipath over two daemons with one store, after lib/multipath.sh:
#
#	two_daemons STORE [LUN-OPTION...]	the active one is killed, the other is made
#						active; the first comes back, in standby, and
#						takes over again; all during verified writes

# shellcheck disable=SC2034,SC2154

iqn=iqn.2001-04.org.example:shared
declare -A daemon

both_end()
{
	local code=$? pid

	set +e
	for pid in "${daemon[@]}"; do
		[ -z "$pid" ] || [ "$pid" = "$tgtd_pid" ] || kill -KILL "$pid" 2>/dev/null
	done
	(exit "$code")
	vm_at_exit
}
trap both_end EXIT

# with N COMMAND... - common.sh's functions, for the Nth daemon.
with()
{
	local TGT_IPC_SOCKET=$dir/socket.$1

	export TGT_IPC_SOCKET
	tgtd_pid=${daemon[$1]:-}
	"${@:2}"
	daemon[$1]=$tgtd_pid
}

state()
{
	adm --mode tpg --op update --tid 1 --tpg "$1" --params "state=$2"
}

# serve N STATE-OF-1 STATE-OF-2 - with $store
serve()
{
	tgtd_start --iscsi "portal=10.77.$1.1:3260,tpgt=$1" --state-dir "$dir/state.$1"
	adm --mode target --op new --tid 1 --targetname "$iqn"
	lun_new 1 1 "${store[@]}"
	adm --mode logicalunit --op update --tid 1 --lun 1 \
		--params scsi_id=shared-disk-1,scsi_sn=shared1
	adm --mode tpg --op new --tid 1 --tpg 1 --params "state=$2"
	adm --mode tpg --op new --tid 1 --tpg 2 --params "state=$3"
	acl_bind 1 ALL
}

two_daemons()
{
	store=("$@")
	with 1 serve 1 active_optimized standby
	with 2 serve 2 active_optimized standby
	guest_start
	multipath_start "$iqn" "$here_1:3260" "$here_2:3260"
	path_in_use "$here_1"

	note "the active daemon dies"
	with 1 tgtd_kill
	with 2 state 1 unavailable
	with 2 state 2 active_optimized
	path_in_use "$here_2"

	note "it is back, in standby"
	with 1 serve 1 standby active_optimized
	with 2 state 1 standby
	path_state "$here_1" active

	note "and takes over again"
	with 2 state 2 standby
	with 2 state 1 active_optimized
	with 1 state 2 standby
	with 1 state 1 active_optimized
	path_in_use "$here_1"
	writes_end 2
	guest_end
	with 1 tgtd_stop
	with 2 tgtd_stop
}
