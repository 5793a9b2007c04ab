#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tests/vm/run with QEMU's user network: a target on this machine's loopback is found and
# used under the address that it has here; output and exit status come back.
. "$(dirname "$0")/lib/initiator.sh"

disk 16M
code=0
said=$(
	{
		cat "$vm_lib/in_guest.sh"
		printf 'attach %s %s 1\n' "$iqn" "$portal"
		cat <<'END'
dd if=/dev/urandom of="$disk" bs=1M count=4 oflag=direct status=none
leave
echo "that went well"; printf 'and this has no end of line'
exit 7
END
	} >"$dir/job"
	"$SRC/tests/vm/run" -t 120 "$(<"$dir/job")"
) || code=$?
expect "exit status" 7 "$code"
expect "output" $'that went well\nand this has no end of line' "$said"
cmp -s -n $((4 << 20)) "$dir"/disk.* /dev/zero && fail "nothing was written"
true
