#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A file that tgtd may not write is served read-only.
# stores: every kind for files
. "$(dirname "$0")/lib/initiators.sh"
need qemu-io setpriv

[ "$(id -u)" -eq 0 ] || skip "needs root, to be an ordinary user"
chmod 755 "$dir"
mkdir "$dir/run"
chown nobody "$dir/run"
TGT_IPC_SOCKET=$dir/run/socket
file=$(disk_file 1M)
printf 'contents' | dd of="$file" conv=notrunc status=none
chmod 444 "$file"
cat >"$dir/as-nobody" <<END
#!/bin/sh
exec setpriv --reuid=nobody --regid=nogroup --clear-groups "$TGTD" "\$@"
END
chmod 755 "$dir/as-nobody"
setpriv --reuid=nobody --regid=nogroup --clear-groups test -x "$TGTD" ||
	skip "nobody may not run $TGTD"
TGTD=$dir/as-nobody
tgtd_start
target_new
lun_new "$tid" 1 "$file"
acl_bind "$tid" ALL
has "$(show target)" '            Readonly: Yes'
session_open s "$(url 1)"
tells s 'sense 7/2700' write 0 1 1
session_close s
expect "the file" contents "$(head -c 8 "$file")"
