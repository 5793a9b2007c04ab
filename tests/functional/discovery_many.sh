#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A list of targets that does not fit into one PDU arrives whole.
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-ls

tgtd_start
prefix=iqn.2001-04.org.example:$(printf 'long%.0s' $(seq 40))
for _ in $(seq 150); do
	target_new "$prefix.$next_tid"
	acl_bind "$tid" ALL
done
iscsi-ls "iscsi://$portal" >"$dir/found"
expect "targets found" 150 "$(sed -n "s/^Target:\($prefix\.[0-9]*\) Portal:$portal,1\$/\1/p" "$dir/found" |
	sort -u | wc -l)"
