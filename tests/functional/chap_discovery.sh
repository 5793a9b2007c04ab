#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A discovery account guards the list of targets, not the targets.
. "$(dirname "$0")/lib/initiators.sh"
need iscsi-ls

list()
{
	LIBISCSI_CHAP_USERNAME=${1%%:*} LIBISCSI_CHAP_PASSWORD=${1#*:} iscsi-ls "iscsi://$portal" 2>&1
}

disk 8M
adm --mode account --op new --user finder --password secret-of-finder
adm --mode account --op new --user other --password secret-of-other
adm --mode account --op bind --user finder
[[ $(iscsi-ls "iscsi://$portal" 2>&1) != *"$iqn"* ]] || fail "discovery without credentials"
[[ $(list finder:wrong) != *"$iqn"* ]] || fail "discovery with a wrong password"
[[ $(list other:secret-of-other) != *"$iqn"* ]] || fail "discovery with another account"
[[ $(list finder:secret-of-finder) == *"$iqn"* ]] || fail "no discovery: $(list finder:secret-of-finder)"
logs_in "$(url 1)"
system=$(show system)
has "$system" '    finder'
adm --mode account --op unbind --user finder
[[ $(iscsi-ls "iscsi://$portal" 2>&1) == *"$iqn"* ]] || fail "no discovery without account"
