#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A block size that is no power of two from 512 to 4096 is refused.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
target_new
for bytes in 0 1 256 513 520 3072 8192 65536 4294967808; do
	if lun_new "$tid" 1 "$(disk_file 16M)" --blocksize "$bytes" 2>"$dir/err"; then
		fail "block size $bytes was taken"
	fi
	[ -s "$dir/err" ] || fail "block size $bytes: refused without a word"
done
has_not "$(show target)" '        LUN: 1'
lun_new "$tid" 1 "$(disk_file 16M)" --blocksize 4096
