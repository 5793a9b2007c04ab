#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Stores that cannot be: refused with "invalid request", a sentence that says why, and
# nothing left behind.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
target_new
before=$(show target)
mkdir "$dir/directory"
: >"$dir/empty"
ok=$(disk_file 1M)
ln -s loop "$dir/loop"
fds()
{
	find "/proc/$tgtd_pid/fd" -mindepth 1 | wc -l
}
nr_fds=$(fds)

# refuses WORD OPTION... - WORD is in what it says.
refuses()
{
	local word=$1

	shift
	says_first 22 'tgtadm: invalid request' --mode logicalunit --op new --tid "$tid" --lun 1 "$@"
	grep -qiF -e "$word" <(tail -n +2 "$dir/says.err") ||
		fail "$*: no word about '$word' in: $(cat "$dir/says.err")"
}
refuses "$dir/absent" -b "$dir/absent"
refuses 'No such file' -b "$dir/absent"
refuses "$dir/directory" -b "$dir/directory"
refuses "$dir/empty" -b "$dir/empty"
refuses "$dir/loop" -b "$dir/loop"
refuses /dev/null -b /dev/null
refuses bogus -b "$ok" --bstype bogus
refuses bogus -b "$ok" --bsopts bogus=1
refuses 'sync, direct' -b "$ok" --bsoflags bogus
refuses 513 -b "$ok" --blocksize 513
refuses size --bstype null --bsopts size=many
long=$(printf 'x%.0s' $(seq 5000))
refuses 4096 -b "/$long"
expect "the configuration" "$before" "$(show target)"
expect "file descriptors" "$nr_fds" "$(fds)"
lun_new "$tid" 1 "$ok"
