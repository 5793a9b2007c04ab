#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A daemon that listens on all addresses offers the one that was used to reach it.
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-ls

tgtd_start --iscsi portal=0.0.0.0:0
portal=127.0.0.1:$port
target_new
acl_bind "$tid" ALL
out=$(iscsi-ls "iscsi://$portal")
grep -qF "Target:$iqn Portal:$portal,1" <<<"$out" || fail "discovery says $out"
[[ $out != *0.0.0.0* ]] || fail "discovery offers 0.0.0.0: $out"
