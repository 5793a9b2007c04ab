#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the disk says of itself, through the kernel: sg3_utils decode every page and
# list without a complaint and without an error; and their commands that change nothing.
. "$(dirname "$0")/lib/initiator.sh"

portals_start
target_new
lun_new "$tid" 1 "$(disk_file 64M)"
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1
adm --mode tpg --op new --tid "$tid" --tpg 1
acl_bind "$tid" ALL
guest_start
guest iqn="$iqn" portal="$here_1:3260" <<'END'
attach "$iqn" "$portal" 1

# decodes COMMAND... - exit 0, nothing on stderr, nothing that it cannot read.
decodes()
{
	local code=0

	"$@" "$disk" >/run/out 2>/run/err || code=$?
	[ "$code" -eq 0 ] && [ ! -s /run/err ] ||
		fail "$*: exit $code, $(cat /run/err)"
	! grep -iE 'malformed|too short|truncated|unable to|unrecogni|invalid|\?\?' /run/out ||
		fail "$*: $(cat /run/out)"
	n=$((n + 1))
}

n=0
decodes sg_inq
decodes sg_vpd -a
for page in sv sn di ei mpp sp tpc bl bdc lbpv; do
	decodes sg_vpd -p "$page"
done
decodes sg_opcodes
decodes sg_opcodes -t
decodes sg_luns
expect "LUNs" 2 "$(sg_luns -d "$disk" | grep -c 'Peripheral device')"
decodes sg_luns -s 1
decodes sg_luns -s 2
decodes sg_rtpg -e -d
decodes sg_rtpg -d
grep -q 'active/optimized' /run/out || fail "sg_rtpg: $(cat /run/out)"
decodes sg_logs -a
decodes sg_logs -A
decodes sg_modes -a
decodes sg_readcap -l
decodes sg_turs
decodes sg_timestamp
decodes sg_get_lba_status -l 0
decodes sg_persist -k
decodes sg_persist -c
decodes sg_persist -s
decodes sg_persist -r
decodes sg_senddiag -t
decodes sg_read_buffer -m desc
decodes sg_copy_results -p
decodes sg_ident
decodes sg_reassign --grown
decodes sg_reassign --primary
decodes sg_wr_mode -p 8
decodes sginfo -a
decodes sg_scan -i
decodes sg_test_rwbuf --size=4096
decodes sg_verify --lba=0 --count=64
decodes sg_verify --16 --lba=0 --count=64
decodes sg_sync
decodes sg_start --start
decodes sg_prevent --allow
decodes sg_reset --device
decodes sg_reset --target
sg_turs "$disk" >/run/out 2>&1 || :	# the unit attention of the resets
decodes sg_turs
for format in '' --desc; do
	sg_requests $format "$disk" 2>&1 | grep 'Sense key: No Sense' >/dev/null
done
echo "$((n + 2)) commands of sg3_utils decoded"
END
guest_end
