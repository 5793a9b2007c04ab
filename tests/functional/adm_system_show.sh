#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm --mode system --op show, and the lists of drivers, portals and accounts.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
system=$(show system)
expect "first lines" 'System:
    State: ready
    debug: off
LLDs:
    iscsi: ready' "$(head -n 5 <<<"$system")"
# Scripts look for a blank and the name of a store.
for store in rdwr aio uring null; do
	[[ $system == *" $store"* ]] || fail "no store $store in: $system"
done
grep -q '^    rdwr (bsoflags sync:direct)$' <<<"$system" || fail "the flags of rdwr: $system"
has "$system" 'Backing stores:'
has "$system" 'Device types:'
has "$system" '    disk'
has "$system" '    iSNS=Off'
expect "order of the parts" 'System: LLDs: Backing Device iSNS:' \
	"$(grep -o '^[A-Z][A-Za-z]*:\?\|^iSNS:' <<<"$system" | paste -sd' ')"

adm --mode system --op update --name debug --value on
has "$(show system)" '    debug: on'
adm --mode system --op update --name debug --value off
adm --mode system --op update --name State --value offline
has "$(show system)" '    State: offline'
adm --mode system --op update --name State --value ready
has "$(show system)" '    State: ready'

target_new iqn.2001-04.com.example:t1
target_new iqn.2001-04.com.example:t2
lld=$("$TGTADM" --mode lld --op show)
expect "first lines of lld" 'LLDs:
    iscsi: ready' "$(head -n 2 <<<"$lld")"
has "$lld" '        Target 1: iqn.2001-04.com.example:t1'
has "$lld" '        Target 2: iqn.2001-04.com.example:t2'

expect "portals" "Portal: $portal,1" "$(show portal)"
expect "no accounts" "" "$(show account)"
adm --mode account --op new --user inuser --password secret-of-inner
adm --mode account --op new --user outuser --password secret-of-outer
expect "accounts" 'Account list:
    outuser
    inuser' "$(show account)"
adm --mode account --op bind --user inuser
adm --mode account --op bind --user outuser --outgoing
system=$(show system)
has "$system" '    inuser'
has "$system" '    outuser (outgoing)'
adm --mode account --op delete --user outuser
expect "accounts" 'Account list:
    inuser' "$(show account)"
has_not "$(show system)" '    outuser (outgoing)'
