# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests of a cluster that fails under verified writes, after initiators.sh
# and ceph.sh:
#
#	outage_disks	starts the daemon; LUN 1 is the image "disk", some objects of which
#			are with each OSD, and LUN 2 a file
#	outage SECONDS stalls|goes-on BEGIN END
#			writes to LUN 1 under way, commands that begin and end a fault of so
#			long: nothing that was acknowledged is lost, nothing fails or hangs
#			longer, an abort is answered, and LUN 2 goes on meanwhile.  stalls: by
#			the middle there is a write that waits for the end

# shellcheck disable=SC2154 # of common.sh and ceph.sh
outage_disks()
{
	rbd create --size 32M --object-size 64K disk
	tgtd_start
	target_new
	acl_bind "$tid" ALL
	lun_new "$tid" 1 disk --bstype rbd --bsopts "$ceph_opts"
	lun_new "$tid" 2 "$(disk_file 16M)" --bstype rdwr
}

# What it said, and what the cluster is at, for a test that fails.
outage_words()
{
	cat "$dir/words"
	ceph_waits
}

outage()
{
	local word got

	coproc LOAD { python3 "$lib/outage.py" "$(url)" "$1" "$2" "$dir/kept" 2>"$dir/words"; }
	# shellcheck disable=SC2153 # coproc sets it
	local pid=$LOAD_PID in=${LOAD[0]} out=${LOAD[1]}

	for word in begin end; do
		read -r got <&"$in" || fail "$(outage_words)"
		[ "$got" = $word ] || fail "$got $(outage_words)"
		case $word in
		begin) eval "$3" ;;
		end) eval "$4" ;;
		esac
		echo $word >&"$out"
	done
	while read -r got <&"$in"; do
		echo "$got"
	done
	wait "$pid" || fail "$(outage_words)"
	cat "$dir/words"
	# What librbd reads without us.
	rbd export disk "$dir/export" 2>/dev/null
	python3 - "$dir/kept" "$dir/export" <<-'END'
	import sys
	kept, disk = open(sys.argv[1], "rb").read(), open(sys.argv[2], "rb").read()
	for n in range(0, len(kept), 520):
	    at = int.from_bytes(kept[n:n + 8], "big") * 65536
	    assert disk[at:at + 512] == kept[n + 8:n + 520], at
	END
	rm "$dir/export"
}

