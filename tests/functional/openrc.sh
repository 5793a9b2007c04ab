#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What conf/tgt.openrc does at start and at a reload, with stand-ins for the functions
# that OpenRC provides.
. "$(dirname "$0")/lib/admin.sh"

t=iqn.2001-04.org.example:openrc
tgtd_start
iqn=$t
a=$(disk_file 8M)
conf <<END
<target $t>
	backing-store $a
</target>
<target $t-missing>
	backing-store $dir/missing
</target>
END
mkdir "$dir/sbin"
ln -s "$TGTADM" "$SRC/scripts/tgt-admin" "$dir/sbin/"
sed "s,/usr/local/sbin,$dir/sbin,g" "$SRC/conf/tgt.openrc" >"$dir/script"

# service FUNCTION - its exit code.
service()
{
	TGTD_CONFIG=$conf sh -c '
		RC_SVCNAME=tgtd
		checkpath() { :; }
		ebegin() { echo "$*"; }
		eend() { return "$1"; }
		mark_service_stopped() { :; }
		ewarn() { echo "$*"; }
		. "$1"
		"$2"' sh "$dir/script" "$1"
}

service start_post >"$dir/out" 2>&1 || fail "start: $(cat "$dir/out")"
grep -q 'left out: target' "$dir/out" || fail "not a word of the disk that is missing: $(cat "$dir/out")"
has "$(show system)" '    State: ready'
session_open s "$(url 1)"
tells s good check

# A reload is strict, and leaves sessions alone.
if service reload >"$dir/out" 2>&1; then
	fail "a reload without a disk: $(cat "$dir/out")"
fi
truncate -s 8M "$dir/missing"
service reload >"$dir/out" 2>&1 || fail "reload: $(cat "$dir/out")"
[[ $(show target) == *"Backing store path: $dir/missing"* ]] || fail "the disk that is back is not there"
tells s good check
echo | conf
if service reload >"$dir/out" 2>&1; then
	fail "a reload removes a target in use: $(cat "$dir/out")"
fi
tells s good check
service forcedreload >"$dir/out" 2>&1 || fail "forcedreload: $(cat "$dir/out")"
expect targets '' "$(show target)"
tells s lost tur
session_forget s
