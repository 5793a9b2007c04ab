#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A portal whose port is taken: tgtd says so and ends.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
taken=$portal
code=0
TGT_IPC_SOCKET=$dir/other timeout 10 "$TGTD" -f --iscsi "portal=$taken" >"$dir/out" 2>&1 || code=$?
case $code in
0|124) fail "exit $code" ;;
esac
grep -qF "$taken" "$dir/out" || fail "it does not name the portal: $(cat "$dir/out")"
# The first does not mind.
target_new
lun_new "$tid" 1 "$(disk_file 1M)"
acl_bind "$tid" ALL
logs_in "$(url 1)"
