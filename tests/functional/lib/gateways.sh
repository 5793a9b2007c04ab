# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests with several daemons, after initiators.sh:
#
#	gateway NAME [OPTION...]	the daemon that tgtd_*, adm and what builds on them
#					mean from now on; started the first time
#
# All end with the test.

# shellcheck disable=SC2034,SC2154 # of common.sh
declare -A gateway_pid gateway_portal
gateway_name=

gateway_keep()
{
	gateway_pid[$gateway_name]=$tgtd_pid
	gateway_portal[$gateway_name]=$portal
}

gateway()
{
	[ -z "$gateway_name" ] || gateway_keep
	gateway_name=$1
	export TGT_IPC_SOCKET=$dir/socket.$1
	tgtd_pid=${gateway_pid[$1]:-}
	portal=${gateway_portal[$1]:-}
	port=${portal##*:}
	[ -n "$tgtd_pid" ] || {
		install -d "$dir/state.$1"
		tgtd_start --state-dir "$dir/state.$1" "${@:2}"
	}
}

# The current one is seen to by common.sh.
gateways_end()
{
	local name pid

	for name in "${!gateway_pid[@]}"; do
		pid=${gateway_pid[$name]}
		if [ -z "$pid" ] || [ "$name" = "$gateway_name" ]; then
			continue
		fi
		tgtd_pid=$pid
		tgtd_end || echo "FAIL: gateway $name"
	done
}
at_end=(gateways_end "${at_end[@]}")
