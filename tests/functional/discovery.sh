#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SendTargets: all targets that the initiator may see, and only those.
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-ls

found()
{
	iscsi-ls "${@}" "iscsi://$portal" | sed -n 's/^Target:\([^ ]*\) Portal:\(.*\)$/\1 \2/p' | sort
}

tgtd_start
expect "targets at first" "" "$(found)"
target_new iqn.2001-04.org.example:all
acl_bind "$tid" ALL
target_new iqn.2001-04.org.example:none
target_new iqn.2001-04.org.example:elsewhere
acl_bind "$tid" 192.0.2.0/24
target_new iqn.2001-04.org.example:here
acl_bind "$tid" 127.0.0.0/8
target_new iqn.2001-04.org.example:named
adm --mode target --op bind --tid "$tid" --initiator-name iqn.2001-04.org.example:friend

expect "targets for anybody" "iqn.2001-04.org.example:all $portal,1
iqn.2001-04.org.example:here $portal,1" "$(found)"
expect "targets for a friend" "iqn.2001-04.org.example:all $portal,1
iqn.2001-04.org.example:here $portal,1
iqn.2001-04.org.example:named $portal,1" "$(found --initiator-name iqn.2001-04.org.example:friend)"
