#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Mutual CHAP: the target proves itself too.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

mutual()
{
	printf '%s?target_user=%s&target_password=%s\n' "iscsi://alice%secret-of-alice@$portal/$iqn/1" "$1" "$2"
}

disk 8M
adm --mode account --op new --user alice --password secret-of-alice
adm --mode account --op new --user disk --password secret-of-disk
adm --mode account --op bind --tid "$tid" --user alice
refuses_login "$(mutual disk secret-of-disk)" "the target has no account"
adm --mode account --op bind --tid "$tid" --user disk --outgoing
has "$(show target)" '        disk (outgoing)'
has "$(show target)" '        alice'

logs_in "$(mutual disk secret-of-disk)"
refuses_login "$(mutual disk wrong)" "the target's password is another"
refuses_login "$(mutual disc secret-of-disk)" "the target's name is another"
logs_in "iscsi://alice%secret-of-alice@$portal/$iqn/1"
refuses_login "iscsi://disk%secret-of-disk@$portal/$iqn/1" "that is the target's own account"
io "$(mutual disk secret-of-disk)" "write -P 1 0 64k" "read -P 1 0 64k"
