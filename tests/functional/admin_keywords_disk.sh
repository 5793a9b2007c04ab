#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each keyword of targets.conf that is about a disk has its effect, as an initiator
# sees it: in INQUIRY, a VPD or mode page, READ CAPACITY, or in what is refused.
. "$(dirname "$0")/lib/admin.sh"

need iscsi-inq
t=iqn.2001-04.org.example:k
tgtd_start
iqn=$t
a=$(disk_file 64M)

# with KEYWORD... - a target with one disk that has these lines.
with()
{
	{
		printf '<target %s>\n<backing-store %s>\n' $t "$a"
		printf '%s\n' "$@"
		printf '</backing-store>\n</target>\n'
	} | conf
	admin -e -f -c "$conf"
}

# Short names for the commands that are asked often.
INQUIRY=1200000060 READ_CAPACITY=25000000000000000000
READ_CAPACITY_16=9e100000000000000000000000200000
SERIAL=1201800060 IDS=1201830060 LIMITS=1201b000ff CHARACTERISTICS=1201b100ff
CACHING=1a080800ff CONTROL=1a080a00ff OWN_PAGE=1a081c00ff

text()
{
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
}

expand()
{
	local word=$1

	word=${word//LIMITS/${LIMITS}00}
	word=${word//CHARACTERISTICS/${CHARACTERISTICS}00}
	word=${word//SERIAL/${SERIAL}00}
	word=${word//IDS/${IDS}00}
	word=${word//INQUIRY/${INQUIRY}00}
	word=${word//READ_CAPACITY_16/$READ_CAPACITY_16}
	word=${word//READ_CAPACITY/$READ_CAPACITY}
	word=${word//CACHING/${CACHING}00}
	word=${word//CONTROL/${CONTROL}00}
	printf '%s\n' "${word//OWN_PAGE/${OWN_PAGE}00}"
}

while IFS='|' read -r keyword question answer; do
	with "$keyword"
	expect "$keyword ($question)" "$answer" \
		"$(expand "$question" | python3 "$lib/seen.py" "$portal" $t)"
done <<END
vendor_id ACME|data 8 8 INQUIRY|$(text 'ACME    ')
product_id "Big Disk"|data 16 16 INQUIRY|$(text 'Big Disk        ')
product_rev 7.3|data 32 4 INQUIRY|$(text '7.3 ')
removable 1|data 1 1 INQUIRY|80
removable 0|data 1 1 INQUIRY|00
device-type disk|data 0 1 INQUIRY|00
scsi_sn SN-4711|data 4 7 SERIAL|$(text SN-4711)
readonly 1|sense 2a000000000000000100 512|70 7/2700
readonly 1|data 2 1 CACHING|90
readonly 0|sense 2a000000000000000100 512|good
online 0|sense 000000000000|70 2/0412
online 1|sense 000000000000|good
sense_format 1|sense ff0000000000|72 5/2000
sense_format 0|sense ff0000000000|70 5/2000
sense_format 1|data 6 1 CONTROL|26
sense_format 0|data 6 1 CONTROL|22
lbppbe 3|data 13 1 READ_CAPACITY_16|03
la_lba 258|data 14 2 READ_CAPACITY_16|0102
thin_provisioning 1|data 14 1 READ_CAPACITY_16|c0
thin_provisioning 0|data 14 1 READ_CAPACITY_16|00
atomic_write 64k|data 44 4 LIMITS|00000080
rotation_rate 7200|data 4 2 CHARACTERISTICS|1c20
optimal_xfer_gran 8|data 6 2 LIMITS|0008
optimal_xfer_len 64|data 12 4 LIMITS|00000040
block-size 4096|data 4 4 READ_CAPACITY|00001000
write-cache off|data 6 1 CACHING|00
write-cache on|data 6 1 CACHING|04
mode_page 8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0|data 6 1 CACHING|00
mode_page 10:0:10:0:0:8:0:0:0:0:0:0:0|sense 2a000000000000000100 512|70 7/2700
mode_page 28:0:2:1:2|data 4 4 OWN_PAGE|1c020102
params vendor_id=ACMF,product_rev=\${lun}\${tid}|data 8 4 INQUIRY|$(text ACMF)
params vendor_id=ACMF,product_rev=\${lun}\${tid}|data 32 2 INQUIRY|$(text 11)
END

note 'identities'
with 'scsi_id ID-0815'
[[ $(iscsi-inq -e 1 -c 131 "$(url 1)") == *ID-0815* ]] || fail "scsi_id is not in the page"
with 'tgt_ids 1'
[[ $(iscsi-inq -e 1 -c 131 "$(url 1)") == *'IET     00010001'* ]] || fail "tgt's id is not in the page"

note 'how the store is opened'
# Of the flags in octal: O_DIRECT.
opened()
{
	local fd

	for fd in "/proc/$tgtd_pid/fd"/*; do
		[ "$(readlink "$fd")" != "$a" ] ||
			awk '/^flags:/ {print substr($2, length($2) - 4, 1)}' "${fd/\/fd\///fdinfo/}"
	done
}
with 'bsoflags direct'
[[ $(opened) == *4* ]] || fail "not opened with O_DIRECT: $(opened)"
with 'bsoflags sync'
expect 'sync: no write rests in a cache' 00 \
	"$(expand 'data 6 1 CACHING' | python3 "$lib/seen.py" "$portal" $t)"
with 'bs-type aio'
[[ $(adm --mode target --op show) == *'Backing store type: aio'* ]] || fail "bs-type"
conf <<END
<target $t>
	<backing-store rdwr:$a>
		bs-type error
		bsopts op=write;error=ENOSPC
	</backing-store>
</target>
END
admin -e -f -c "$conf"
expect 'bsopts: what the store shall do' '70 7/2707' \
	"$(echo 'sense 2a000000000000000100 512' | python3 "$lib/seen.py" "$portal" $t)"

note 'limits'
with 'iops_limit 500' 'iops_burst 50' 'bw_limit 20M' 'bw_burst 1M'
saved=$(adm --mode system --op save)
for limit in '"iops_limit": 500' '"iops_burst": 50' '"bw_limit": 20971520' '"bw_burst": 1048576'; do
	[[ $saved == *"$limit"* ]] || fail "no $limit"
done

note 'numbers, media'
conf <<END
<target $t>
	<backing-store one>
		lun 7
		path $a
	</backing-store>
	<backing-store NONE:1>
		lun 8
		bs-type null
		bsopts size=8M
	</backing-store>
</target>
END
admin -e -f -c "$conf"
iscsi-inq "$(url 7)" >/dev/null || fail "there is no LUN 7"
[[ $(adm --mode target --op show) == *"Backing store path: $a"* ]] || fail "path"
has "$(iscsi-readcapacity16 "$(url 8)")" 'Total size:8388608'

note 'what cannot be'
while IFS='|' read -r keyword text; do
	{
		printf '<target %s>\n<backing-store %s>\n%s\n</backing-store>\n</target>\n' \
			$t "$a" "$keyword"
	} | conf
	unchanged admin_fails 22 "$text" -e -f -c "$conf"
done <<'END'
device-type osd|device-type:
rotation_rate 5|rotation_rate:
lbppbe 16|lbppbe:
sense_format 2|sense_format:
bs-type nothing|there is no backing-store module 'nothing'
END
