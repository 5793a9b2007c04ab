#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# CHAP: the right password logs in, all else does not; two accounts; QEMU too.
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io

login()
{
	printf 'iscsi://%s@%s/%s/1\n' "$1" "$portal" "$iqn"
}

disk 8M
adm --mode account --op new --user alice --password secret-of-alice
adm --mode account --op new --user bob --password 'b0b: "quoted" and long %&+'
adm --mode account --op bind --tid "$tid" --user alice
has "$(show target)" '        alice'

refuses_login "$(url 1)" "no credentials"
refuses_login "$(login alice%wrong)" "wrong password"
refuses_login "$(login alice%secret-of-alic)" "short password"
refuses_login "$(login alice%)" "empty password"
refuses_login "$(login alicia%secret-of-alice)" "unknown user"
refuses_login "$(login bob%x)" "account not bound"
logs_in "$(login alice%secret-of-alice)"

adm --mode account --op bind --tid "$tid" --user bob
LIBISCSI_CHAP_USERNAME=bob LIBISCSI_CHAP_PASSWORD='b0b: "quoted" and long %&+' \
	iscsi-inq "$(url 1)" >/dev/null
io "$(login alice%secret-of-alice)" "write -P 1 0 64k" "read -P 1 0 64k"
qemu-io --object secret,id=s0,data=secret-of-alice --image-opts -c 'read -P 1 0 64k' \
	"driver=iscsi,transport=tcp,portal=$portal,target=$iqn,lun=1,user=alice,password-secret=s0" \
	>"$dir/io.out" || fail "QEMU: $(cat "$dir/io.out")"

# Sessions live on when the account goes; new ones do not come.
session_open s "$(login alice%secret-of-alice)"
adm --mode account --op unbind --tid "$tid" --user alice
refuses_login "$(login alice%secret-of-alice)" "account unbound"
tells s good check
session_close s
adm --mode account --op unbind --tid "$tid" --user bob
logs_in "$(url 1)"
