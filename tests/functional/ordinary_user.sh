#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtd runs as an ordinary user, with a socket directory of his own, and that user
# and root may manage it; another may not.
. "$(dirname "$0")/lib/initiators.sh"
need setpriv qemu-io

[ "$(id -u)" -eq 0 ] || skip "needs root, to be somebody else"
as()
{
	local user=$1

	shift
	setpriv --reuid="$user" --regid=nogroup --clear-groups "$@"
}
as nobody test -x "$TGTD" || skip "nobody may not run $TGTD"

chmod 755 "$dir"
mkdir "$dir/run"
chown nobody:nogroup "$dir/run"
TGT_IPC_SOCKET=$dir/run/socket
cat >"$dir/as-nobody" <<END
#!/bin/sh
exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$TGTD" "\$@"
END
chmod 755 "$dir/as-nobody"
TGTD=$dir/as-nobody
tgtd_start
expect "user of tgtd" "$(id -u nobody)" "$(stat -c %u "/proc/$tgtd_pid")"
truncate -s 8M "$dir/run/disk"
chown nobody "$dir/run/disk"
as nobody "$TGTADM" --lld iscsi --mode target --op new --tid 1 --targetname iqn.2001-04.org.example:u
as nobody "$TGTADM" --lld iscsi --mode logicalunit --op new --tid 1 --lun 1 -b "$dir/run/disk"
acl_bind 1 ALL			# as root
iqn=iqn.2001-04.org.example:u
io "$(url 1)" "write -P 1 0 1M" "read -P 1 0 1M"

code=0
as daemon "$TGTADM" --lld iscsi --mode target --op show >"$dir/out" 2>"$dir/err" || code=$?
[ "$code" -ne 0 ] || fail "user daemon was let in"
[ ! -s "$dir/out" ] || fail "user daemon was told: $(cat "$dir/out")"
[ -s "$dir/err" ] || fail "user daemon got no message"
