#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Members of --mgmt-group may use tgtadm, others may not.
. "$(dirname "$0")/lib/initiators.sh"
need setpriv

[ "$(id -u)" -eq 0 ] || skip "needs root, to be somebody else"
as()			# USER GROUP COMMAND...
{
	setpriv --reuid="$1" --regid="$2" --clear-groups "${@:3}"
}
as nobody nogroup test -x "$TGTADM" || skip "nobody may not run $TGTADM"

chmod 755 "$dir"
tgtd_start --mgmt-group games
as nobody games "$TGTADM" --mode target --op new --tid 1 -T iqn.2001-04.org.example:g
as nobody games "$TGTADM" --mode target --op show | grep -q '^Target 1: ' || fail "it shows nothing"
for who in 'nobody nogroup' 'daemon daemon'; do
	read -r user group <<<"$who"
	if as "$user" "$group" "$TGTADM" --mode target --op delete --tid 1 >"$dir/out" 2>"$dir/err"; then
		fail "$who was let in"
	fi
	[ -s "$dir/err" ] || fail "$who got no message"
done
has "$(show target)" 'Target 1: iqn.2001-04.org.example:g'

# Secrets are for root only.
adm --mode account --op new --user alice --password secret-of-alice
said=$(as nobody games "$TGTADM" --op save --mode sys)
[[ $said == *alice* && $said != *secret-of-alice* ]] || fail "saved by a member: $said"
if as nobody games "$TGTADM" --op save --mode sys --with-secrets >"$dir/out" 2>"$dir/err"; then
	fail "a member of the group got secrets"
fi
grep -q "only root and tgtd's own user may see secrets" "$dir/err" || fail "$(cat "$dir/err")"
! grep -q secret-of-alice "$dir/out" || fail "a member of the group got secrets"
[[ $(adm --op save --mode sys --with-secrets) == *secret-of-alice* ]] || fail "none for root"
