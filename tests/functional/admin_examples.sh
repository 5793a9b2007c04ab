#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# conf/targets.conf and each of conf/examples/ can be loaded, and told again.
. "$(dirname "$0")/lib/admin.sh"

tgtd_start
mkdir -p "$dir/conf.d" "$dir/tgt"

# local_copy FILE - with paths of ours, and files where they lead to.
local_copy()
{
	local path

	sed "s|/srv/tgt|$dir/tgt|; s|/etc/tgt/conf.d|$dir/conf.d|" "$1" >"$dir/${1##*/}"
	{ grep -o "$dir/tgt/[a-z0-9.]*" "$dir/${1##*/}" || :; } | sort -u | while read -r path; do
		truncate -s 8M "$path"
	done
}

local_copy "$SRC/conf/targets.conf"
admin -e -c "$dir/targets.conf"
expect 'targets of the packaged file' '' "$(adm --mode target --op show)"

all=0
for f in "$SRC"/conf/examples/*.conf; do
	# These need a cluster: rbd_targets_conf.sh, sheep_targets_conf.sh.
	[[ $f != */@(rbd|sheepdog).conf ]] || continue
	note "${f##*/}"
	local_copy "$f"
	"$SRC/tests/lib/rpc.py" config.apply '{"state":{"accounts":[],"discovery":[],"targets":[]}}' \
		>"$dir/out"
	wanted=$(grep -c '^<target ' "$f")
	all=$((all + wanted))
	admin -e -c "$dir/${f##*/}"
	expect "targets of $f" "$wanted" "$(adm --mode target --op show | grep -c '^Target ')"
	lossless
	admin --update ALL -v -c "$dir/${f##*/}" >"$dir/out"
	expect 'changes by a second update' '' "$(cat "$dir/out")"
	cp "$dir/${f##*/}" "$dir/conf.d/"
done

note 'all of them, by way of the packaged file'
admin -e -c "$dir/targets.conf"
expect 'all targets' "$all" "$(adm --mode target --op show | grep -c '^Target ')"
lossless
