#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# config.apply: a wanted state becomes true as a whole, or nothing of it; what is
# as wanted is not touched.
. "$(dirname "$0")/../lib/common.sh"

need python3
rpc()
{
	"$SRC/tests/lib/rpc.py" "$@"
}

# state PATH-OF-A PATH-OF-B [MEMBER OF TARGET A]
state()
{
	cat <<-END
	{ "accounts": [ { "user": "u1", "password": "secret of u1" },
			{ "user": "u2", "password": "secret of u2" } ],
	  "discovery": [ { "user": "u1" } ],
	  "targets": [
	  { "name": "iqn.2001-04.org.example:a", "tid": 5, "addresses": [ "ALL" ],
	    "accounts": [ { "user": "u1" }, { "user": "u2", "outgoing": true } ],
	    "params": { "MaxQueueCmd": 64, "HeaderDigest": "CRC32C,None" }, ${3:-}
	    "groups": [ { "tpg": 1, "luns": [ { "lun": 2, "state": "standby" } ] } ],
	    "luns": [ { "lun": 2, "path": "$1", "blocksize": 4096,
			"params": { "vendor_id": "ACME", "iops_limit": 1000, "write_cache": 0,
				    "mode_page": [ "28:0:2:1:2", "10:0:10:0:0:8:0:0:0:0:0:0:0" ] } },
		      { "lun": 9, "path": "$2", "bsoflags": "direct" } ] },
	  { "name": "iqn.2001-04.org.example:b", "initiators": [ "iqn.x:y" ] } ] }
	END
}

# apply STATE [MEMBERS OF THE CALL]
apply()
{
	rpc config.apply "{ \"tell\": true, \"state\": $1 ${2:+, $2} }"
}

# refused STATE TEXT FIELD [MEMBERS] - it is an error, and nothing has changed.
refused()
{
	local before after out

	before=$(rpc config.get '{"secrets":true}'; adm --mode target --op show)
	out=$(apply "$1" "${4:-}") && fail "accepted: $1"
	[[ $out == *"$2"* ]] || fail "said '$out', expected '$2'"
	expect "field at fault" "$3" "$(tail -n 1 <<<"$out")"
	after=$(rpc config.get '{"secrets":true}'; adm --mode target --op show)
	expect "what a refused state left" "$before" "$after"
}

tgtd_start
a=$(disk_file 64M) b=$(disk_file 32M) c=$(disk_file 16M)
t=iqn.2001-04.org.example

note 'dry run: tells, and does nothing'
apply "$(state "$a" "$b")" '"dry_run": true' >"$dir/dry"
grep -q "target $t:a: new, number 5" "$dir/dry"
expect targets '' "$(adm --mode target --op show)"

note 'from nothing to the state, and again: nothing to do'
apply "$(state "$a" "$b")" >"$dir/done"
grep -q '"applied": true' "$dir/done"
expect changes "$(grep '"target' "$dir/dry")" "$(grep '"target' "$dir/done")"
apply "$(state "$a" "$b")" | grep >/dev/null '"nr_changes": 0' || fail 'there is a difference to itself'
adm --mode target --op show >"$dir/show"
grep -q "^Target 5: $t:a$" "$dir/show"
grep -q "^Target 6: $t:b$" "$dir/show"
grep -qF 'Size: 34 MB, Block size: 512' "$dir/show"
grep -qF 'Size: 67 MB, Block size: 4096' "$dir/show"
adm --mode target --op show --tid 5 | grep >/dev/null -x MaxQueueCmd=64
adm --mode tpg --op show --tid 5 | grep >/dev/null 'State: standby'
adm --mode account --op show | grep >/dev/null u2
adm --mode system --op show | grep >/dev/null '^    u1$'

note 'what is told makes an empty daemon the same'
rpc config.get '{"secrets":true}' >"$dir/get"
python3 -c 'import json,sys; s = json.load(open(sys.argv[1])); s["force"] = True; print(json.dumps(s))' \
	"$dir/get" >"$dir/again"
rpc config.apply "@$dir/again" | grep >/dev/null '"nr_changes": 0' || fail 'not the same'
apply '{ "accounts": [], "discovery": [], "targets": [] }' >/dev/null
expect targets '' "$(adm --mode target --op show)"
expect accounts '' "$(adm --mode account --op show)"
rpc config.apply "@$dir/again" >/dev/null
rpc config.get '{"secrets":true}' | cmp - "$dir/get" || fail 'what was told is not the whole'

note 'without the secrets, accounts keep theirs'
rpc config.get >"$dir/open"
grep -q password "$dir/open" && fail 'secrets are told to whom did not ask'
rpc config.apply "@$dir/open" | grep >/dev/null '"nr_changes": 0' || fail 'not the same'

note 'one sentence, the place, and nothing half-done'
refused "$(state "$a" "$dir/none")" 'LUN 9: rdwr' 'state.targets[0].luns[1].path'
refused "$(state "$a" "$a" '"state": "on",')" 'is not one of' 'state.targets[0].state'
refused "$(state "$a" "$b" | sed s/ACME/AC\\\\u0001E/)" "parameter 'vendor_id'" \
	'state.targets[0].luns[0].params.vendor_id'
refused "$(state "$a" "$b" | sed s/vendor_id/vendor/)" "no parameter 'vendor'" \
	'state.targets[0].luns[0].params'
refused "$(state "$a" "$b" | sed 's/"lun": 9/"lun": 2/')" 'LUN 2 is there twice' \
	'state.targets[0].luns'
refused "$(state "$a" "$b" | sed 's/MaxQueueCmd": 64/MaxQueueCmd": 1000/')" '1 to 512' \
	'state.targets[0].params.MaxQueueCmd'
refused "$(state "$a" "$b" | sed 's/"ALL"/"here"/')" here 'state.targets[0].addresses[0]'
refused "$(state "$a" "$b" | sed 's/{ "user": "u1" }, {/{ "user": "u3" }, {/')" \
	'account u3 does not exist' 'state.targets[0].accounts[0]'
refused "$(state "$a" "$b" | sed "s/:b\"/:a\"/")" 'there twice' 'state.targets[1].name'
refused "$(state "$a" "$b" | sed 's/4096/513/')" 'a block is' 'state.targets[0].luns[0].blocksize'
refused '{ "system": { "iSNS": "On" }, "targets": [] }' 'not implemented' 'state.system.iSNS'
refused '{ "portals": [ { "portal": "192.0.2.1:1" } ], "targets": [] }' 'not an address of this host' \
	'state.portals'
refused "{ \"targets\": [ { \"name\": \"$t:x\", \"tid\": 6 } ] }" 'number 6 is that of target' \
	'state.targets[0].tid' "\"only\": [ \"$t:x\" ]"

refused "$(state "$a" "$b" '"colour": 1,')" "no field 'colour'" 'state.targets[0]'
note 'errors to be ignored: all but the one without its store'
apply "$(state "$a" "$dir/none" | sed 's/"lun": 9/"lun": 10/')" '"ignore_errors": true' >"$dir/out"
grep -q 'left out: .*LUN 10' "$dir/out"
adm --mode target --op show | grep >/dev/null 'LUN: 2$'

note 'only what is named is touched; a store is exchanged, a number changes'
apply "{ \"targets\": [ { \"name\": \"$t:c\", \"luns\": [ { \"lun\": 1, \"path\": \"$c\" } ] } ] }" \
	"\"keep\": true, \"only\": [ \"$t:c\", \"$t:none\" ]" >/dev/null
expect targets 3 "$(adm --mode target --op show | grep -c ^Target)"
apply "{ \"targets\": [ { \"name\": \"$t:c\", \"luns\": [ { \"lun\": 1, \"path\": \"$b\" } ] } ] }" \
	"\"keep\": true, \"only\": [ \"$t:c\" ]" | grep >/dev/null -F "LUN 1: path $c -> $b"
apply "{ \"targets\": [ { \"name\": \"$t:c\", \"tid\": 5, \"luns\": [] },
	{ \"name\": \"$t:a\", \"tid\": 7, \"luns\": [] } ] }" \
	"\"keep\": true, \"only\": [ \"$t:c\", \"$t:a\" ]" >/dev/null
adm --mode target --op show | grep >/dev/null "^Target 5: $t:c$"
adm --mode target --op show | grep >/dev/null "^Target 7: $t:a$"

note 'a new password counts where the account is bound'
apply '{ "accounts": [ { "user": "u1", "password": "another one" } ] }' '"keep": true, "only": []' |
	grep >/dev/null 'account u1: another password'
rpc config.get '{"secrets":true}' | grep >/dev/null '"another one"'

note 'save, restore'
adm --op save --mode sys --with-secrets >"$dir/saved"
adm --op save --mode sys | grep >/dev/null password && fail 'save tells secrets unasked'
adm --op restore --mode sys --file "$dir/saved" >"$dir/out"
expect 'restore of what is' '' "$(cat "$dir/out")"
adm --mode target --op delete --tid 7
adm --op restore --mode sys --dry-run <"$dir/saved" | grep >/dev/null "target $t:a: new, number 7"
adm --op restore --mode sys <"$dir/saved" >/dev/null
adm --op save --mode sys --with-secrets | cmp - "$dir/saved"
echo '{"targets":' >"$dir/broken"
adm_fails 22 'line 2' --op restore --mode sys --file "$dir/broken"
adm_fails 22 'cannot read' --op restore --mode sys --file "$dir/nowhere"
adm_fails 22 "option '--dry-run' is not allowed" --op save --mode sys --dry-run
adm_fails 22 "no field 'x'" --op restore --mode sys --file <(echo '{"x":1}')
