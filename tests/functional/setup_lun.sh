#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgt-setup-lun: a target and LUN by one command, further LUNs, and nothing left of
# what failed.
. "$(dirname "$0")/lib/initiators.sh"

PATH=$BUILD:$PATH
setup()
{
	"$SRC/scripts/tgt-setup-lun" "$@" 2>&1
}

contains()
{
	[[ $1 == *"$2"* ]] || fail "no '$2' in: $1"
}

# setup_fails TEXT ARGS... - and nothing is changed.
setup_fails()
{
	local code=0 out before

	before=$(adm --mode target --op show)
	out=$(setup "${@:2}" </dev/null) || code=$?
	expect "exit of tgt-setup-lun ${*:2}" 1 "$code"
	[[ $out == *"$1"* ]] || fail "tgt-setup-lun ${*:2}: $out"
	expect "targets after tgt-setup-lun ${*:2}" "$before" "$(adm --mode target --op show)"
}

adm() { "$TGTADM" -C 5 --lld iscsi "$@"; }
tgtd_start --control-port 5
a=$(disk_file 8M) b=$(disk_file 8M)
host=$(hostname -s)

expect "what it says" "Control port: 5
Using transport: iscsi
Creating new target (name=iqn.2001-04.com.$host-disk, tid=1)
Adding a logical unit ($a) to target, tid=1
Setting backing store type: rdwr
Accepting connections from 127.0.0.1" "$(setup -n disk -d "$a" -C 5 127.0.0.1)"
iqn=iqn.2001-04.com.$host-disk
[[ $(iscsi-inq "$(url 1)") == *DIRECT_ACCESS* ]] || fail "no disk at $(url 1)"

note "a second LUN, asked for and not"
setup_fails "left as it is" -n disk -d "$b" -C 5
echo yes | setup -n disk -d "$b" -C5 -B 4096 127.0.0.1 >"$dir/out"
contains "$(cat "$dir/out")" "Add a new lun to the existing target? (yes/NO): "
contains "$(adm --mode target --op show)" "LUN: 2"
contains "$(adm --mode target --op show)" "Block size: 4096"

note "the first free numbers"
adm --mode target --op new --tid 2 --targetname iqn.2001-04.org.example:two
adm --mode target --op new --tid 4 --targetname iqn.2001-04.org.example:four
adm --mode logicalunit --op delete --tid 1 --lun 1
setup --name=iqn.2001-04.org.example:three --device "$a" --control-port 5 --bstype aio >"$dir/out"
contains "$(cat "$dir/out")" "Accepting connections from ALL"
contains "$(adm --mode target --op show)" "Target 3: iqn.2001-04.org.example:three"
contains "$(adm --mode target --op show)" "Backing store type: aio"
echo yes | setup -n disk -d "$a" -C 5 >"$dir/out"
[[ $(adm --mode target --op show) == *"$iqn"*"LUN: 1"*"Backing store path: $a"*"LUN: 2"* ]] ||
	fail "$(adm --mode target --op show)"

note "what fails leaves nothing"
setup_fails "Error: failed to add a logical unit ($dir/nosuch) to target, tid=5
Deleting new target, tid=5" -n new -d "$dir/nosuch" -C 5
setup_fails "failed to let not.an.address use" -n new -d "$a" -C 5 127.0.0.1 not.an.address
setup_fails "Adding a logical unit" -n new -d "$a" -b nosuch -C 5
setup_fails "failed to create target" -n iqn.x_y -d "$a" -C 5
code=0
out=$(echo yes | setup -n disk -d "$dir/nosuch" -C 5) || code=$?
expect "exit" 1 "$code"
contains "$out" "failed to add a logical unit"
[[ $(adm --mode target --op show) != *"LUN: 3"* ]] || fail "a LUN was left"

note "wrong calls"
setup_fails "no name of a target" -d "$a" -C 5
setup_fails "no disk" -n x -C 5
setup_fails "unknown option -x" -n x -x y
setup_fails "unknown option --nosuch" --nosuch=1
setup_fails "needs a value" -n
setup_fails "is it running?" -n x -d "$a" -C 77
setup_fails "Usage:"
contains "$(setup -h)" "Usage: tgt-setup-lun"
