#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm ends the daemon: not while there are targets, then cleanly.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
adm_fails 22 'invalid request' --mode system --op delete
adm --mode target --op delete --tid "$tid"
adm --mode system --op delete
wait_for 10 eval "! running $tgtd_pid" || fail "tgtd still runs"
code=0
wait "$tgtd_pid" || code=$?
tgtd_pid=
expect "exit code" 0 "$code"
adm_fails 107 "failed to send request hdr to tgt daemon, Transport endpoint is not connected" \
	--mode system --op show
