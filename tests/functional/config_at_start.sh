#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtd --config: the daemon is complete before it listens; what is wrong with the
# file is one sentence, and no daemon.
. "$(dirname "$0")/../lib/common.sh"

need iscsi-inq

# no_start CONFIG TEXT - tgtd must end so.
no_start()
{
	local code=0 err

	err=$("$TGTD" -f --iscsi portal=127.0.0.1:0 --config "$1" 2>&1 >/dev/null </dev/null) || code=$?
	expect "exit code with $1 ($err)" 1 "$code"
	[[ $err == *"tgtd: "*"$2"* ]] || fail "said '$err', expected '$2'"
}

disk 64M --params vendor_id=FIRST
adm --mode account --op new --user u1 --password 'secret of u1'
adm --mode account --op bind --user u1 --tid "$tid" --outgoing
adm --op save --mode sys --with-secrets >"$dir/saved"
inq=$(iscsi-inq "$(url 1)" | grep -E 'Vendor|Product')
tgtd_stop

tgtd_start --config "$dir/saved"
adm --op save --mode sys --with-secrets >"$dir/again"
# The portal of this one is the command line's.
diff <(grep -v '"portal"' "$dir/saved") <(grep -v '"portal"' "$dir/again")
expect INQUIRY "$inq" "$(iscsi-inq "$(url 1)" | grep -E 'Vendor|Product')"
tgtd_stop

note 'portals of the file, if the command line has none'
sed 's/"portal": "[^"]*"/"portal": "127.0.0.1:0"/' "$dir/saved" >"$dir/zero"
"$TGTD" -f --config "$dir/zero" </dev/null >>"$tgtd_log" 2>&1 &
tgtd_pid=$!
wait_for "$START_SECONDS" started_or_dead || fail 'tgtd is not ready'
[[ $portal == 127.0.0.1:* ]] || fail "portal '$portal'"
iscsi-inq "$(url 1)" >/dev/null
tgtd_stop

no_start "$dir/none" 'cannot read'
echo '{ "targets": [' >"$dir/bad"
no_start "$dir/bad" 'line 2'
sed 's/"vendor_id"/"vendor"/' "$dir/saved" >"$dir/bad"
no_start "$dir/bad" "LUN 1: a logical unit has no parameter 'vendor'"
sed 's|"path": "|&/nowhere|' "$dir/saved" >"$dir/bad"
no_start "$dir/bad" 'No such file or directory'
sed 's/"portal": "[^"]*"/"portal": "192.0.2.1:1"/' "$dir/saved" >"$dir/bad"
code=0
err=$("$TGTD" -f --config "$dir/bad" 2>&1 >/dev/null </dev/null) || code=$?
expect "exit code ($err)" 1 "$code"
[[ $err == *'not an address of this host'* ]] || fail "said '$err'"
