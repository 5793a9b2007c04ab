#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# CHAP, of the initiator alone and of both sides, with each algorithm that open-iscsi
# has; wrong secrets of either side, and none, get no session.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 8M)"
acl_bind "$tid" ALL
adm --mode account --op new --user alice --password initiators-secret
adm --mode account --op bind --tid "$tid" --user alice
adm --mode account --op new --user storage --password the-targets-secret
adm --mode account --op bind --tid "$tid" --user storage --outgoing
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
discover "$portal" >/dev/null
auth()
{
	setting "node.session.auth.$1" "$2"
}

refused()
{
	if login "$iqn" "$portal" 2>/dev/null; then
		fail "$1: login succeeded"
	fi
}

setting node.session.initial_login_retry_max 1
refused "no CHAP"
auth authmethod CHAP
auth username alice
for alg in MD5 SHA1 SHA256 SHA3-256; do
	auth chap_algs "$alg"
	auth password initiators-secret
	for kind in one-way mutual; do
		if [ "$kind" = mutual ]; then
			auth username_in storage
			auth password_in the-targets-secret
		fi
		login "$iqn" "$portal"
		blockdev --getsize64 "$(disk_of "$iqn" "$portal" 1)" >/dev/null
		logout "$iqn"
		echo "$alg $kind"
	done
	auth password_in not-the-targets-secret
	refused "$alg, another secret of the target"
	auth password_in the-targets-secret
	auth password not-initiators-secret
	refused "$alg, another secret of the initiator"
	auth username_in ''
	auth password_in ''
done
END
dmesg_expect 'connection.*: detected conn error'
guest_end
figure 8 "ways of CHAP"
