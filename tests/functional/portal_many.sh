#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Several portals, of both families: a target is reached through each, and portals
# come and go while tgtd runs.
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-ls

list()
{
	show portal | sed -n 's/^Portal: \(.*\),1$/\1/p'
}

tgtd_start --iscsi portal=127.0.0.1:0 --iscsi portal=127.0.0.2:0
mapfile -t portals < <(list)
expect "portals" 2 "${#portals[@]}"
target_new
lun_new "$tid" 1 "$(disk_file 8M)"
acl_bind "$tid" ALL
for portal in "${portals[@]}"; do
	logs_in "$(url 1)"
done
expect "addresses in discovery" 2 "$(iscsi-ls "iscsi://${portals[0]}" | grep -c "^Target:$iqn ")"

# A port that is free now: take it, let it go.
free=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.3", 0)); print("127.0.0.3:%d" % s.getsockname()[1])')
adm --mode portal --op new --param "portal=$free"
list | grep -qxF "$free" || fail "$free is not listed"
portal=$free
logs_in "$(url 1)"
adm_fails 22 'invalid request' --mode portal --op new --param "portal=$free"
adm --mode portal --op delete --param "portal=$free"
list | grep -qxF "$free" && fail "$free is still listed"
refuses_login "$(url 1)" "its portal is deleted"
adm_fails 22 'invalid request' --mode portal --op delete --param "portal=$free"
adm_fails 22 'invalid request' --mode portal --op new --param portal=192.0.2.77:0
for portal in "${portals[@]}"; do
	logs_in "$(url 1)"
done
