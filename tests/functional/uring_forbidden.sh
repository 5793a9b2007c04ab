#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Where io_uring or Linux AIO is forbidden, such a LUN is refused with a sentence,
# nothing of it stays, and the other stores work.
. "$(dirname "$0")/lib/initiators.sh"
need python3 qemu-io

# Numbers of io_uring_setup (the same everywhere) and io_setup.
uring=425
case $(uname -m) in
x86_64) aio=206 ;;
aarch64 | riscv64) aio=0 ;;
*) skip "the number of io_setup on $(uname -m) is not known here" ;;
esac

real=$TGTD
forbid()
{
	cat >"$dir/tgtd" <<END
#!/bin/sh
exec python3 "$lib/forbid.py" $1 $2 "$real" "\$@"
END
	chmod +x "$dir/tgtd"
	TGTD=$dir/tgtd
	code=0
	python3 "$lib/forbid.py" "$1" "$2" true >"$dir/err" || code=$?
	[ "$code" -ne 77 ] || skip "$(cat "$dir/err")"
	tgtd_start
	target_new
	acl_bind "$tid" ALL
}

refused()
{
	adm_fails 22 "$2" --mode logicalunit --op new --tid "$tid" --lun 1 --bstype "$1" \
		--backing-store "$(disk_file 16M)"
	has_not "$(show target)" '        LUN: 1'
}

works()
{
	lun_new "$tid" 2 "$(disk_file 16M)" --bstype "$1"
	io "$(url 2)" "write -P 7 4k 64k" "read -P 7 4k 64k"
	adm --mode logicalunit --op delete --tid "$tid" --lun 2 --force
}

for error in EPERM ENOSYS; do
	forbid "$error" "$uring"
	refused uring 'use bstype aio or rdwr'
	works rdwr
	tgtd_stop
done

forbid ENOMEM "$uring"
refused uring 'limit of locked memory'
works rdwr
tgtd_stop

forbid ENOSYS "$aio"
refused aio 'use bstype rdwr'
works rdwr
tgtd_stop

# All of fs.aio-max-nr is in use.
forbid EAGAIN "$aio"
refused aio 'fs.aio-max-nr'
works rdwr
