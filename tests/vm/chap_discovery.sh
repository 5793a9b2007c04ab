#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Discovery with CHAP: the account of the daemon, not that of a target.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
acl_bind "$tid" ALL
adm --mode account --op new --user finder --password discovery-secret
adm --mode account --op bind --user finder
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
conf=/etc/iscsi/iscsid.conf
! discover "$portal" 2>/dev/null || fail "discovery without a secret"
cat >>"$conf" <<'CONF'
discovery.sendtargets.auth.authmethod = CHAP
discovery.sendtargets.auth.username = finder
discovery.sendtargets.auth.password = discovery-secret
CONF
discover "$portal" | grep -q "$iqn"
END
guest_end
