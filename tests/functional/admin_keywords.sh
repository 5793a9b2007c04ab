#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each keyword of targets.conf has its effect: an initiator, or the daemon, shows it.
. "$(dirname "$0")/lib/admin.sh"

need iscsi-inq sg_inq
t=iqn.2001-04.org.example:k
tgtd_start
iqn=$t
a=$(disk_file 64M) b=$(disk_file 32M) c=$(disk_file 16M)

# shown TEXT COMMAND... - its output has TEXT.
shown()
{
	local text=$1 out

	shift
	out=$("$@" 2>&1) || fail "$*: $out"
	[[ $out == *"$text"* ]] || fail "$* does not show '$text': $out"
}

# with KEYWORDS - a target with one disk that has these lines.
with()
{
	conf <<-END
	<target $t>
		<backing-store $a>
			$1
		</backing-store>
	</target>
	END
	admin -e -f -c "$conf"
}

inquiry()
{
	iscsi-inq "$(url 1)"
}

vpd()
{
	iscsi-inq -e 1 -c "$1" "$(url 1)"
}

targets()
{
	adm --mode target --op show
}

params()
{
	adm --mode target --op show --tid "$(targets | sed -n "s/^Target \(.*\): $t$/\1/p")"
}

saved()
{
	adm --mode system --op save --with-secrets
}

note 'of a disk'
while IFS='|' read -r keyword text command; do
	with "$keyword"
	# shellcheck disable=SC2086
	shown "$text" $command
done <<'END'
vendor_id ACME|Vendor:ACME|inquiry
product_id "Big Disk"|Product:Big Disk|inquiry
product_rev 7.3|Revision:7.3|inquiry
removable 1|Removable:1|inquiry
removable 1|Removable media: Yes|targets
scsi_sn SN-4711|SN-4711|vpd 128
scsi_id ID-0815|ID-0815|vpd 131
tgt_ids 1|SCSI ID: IET     00010001|targets
readonly 1|Readonly: Yes|targets
online 0|Online: No|targets
thin_provisioning 1|Thin-provisioning: Yes|targets
rotation_rate 7200|"rotation_rate": 7200|saved
sense_format 1|"sense_format": 1|saved
lbppbe 3|"lbppbe": 3|saved
la_lba 1|"la_lba": 1|saved
optimal_xfer_gran 8|"optimal_xfer_gran": 8|saved
optimal_xfer_len 64|"optimal_xfer_len": 64|saved
iops_limit 500|"iops_limit": 500|saved
iops_burst 50|"iops_burst": 50|saved
bw_limit 20M|"bw_limit": 20971520|saved
bw_burst 1M|"bw_burst": 1048576|saved
mode_page 28:0:2:1:2|"28:0:2:1:2"|saved
write-cache off|"write_cache": 0|saved
block-size 4096|Block size: 4096|targets
bs-type rdwr|Backing store type: rdwr|targets
bsoflags sync|Backing store flags: sync|targets
device-type disk|Type: disk|targets
lun 1|LUN: 1|targets
allow-in-use yes|LUN: 1|targets
params vendor_id=ACMF,product_rev=${lun}${tid}|Revision:11|inquiry
END

note 'at the level of the target they count for all disks'
conf <<END
<target $t>
	vendor_id ALL
	block-size 1024
	<backing-store $a>
	</backing-store>
	<backing-store $b>
		vendor_id ONE
	</backing-store>
</target>
END
admin -e -f -c "$conf"
expect vendors 'ALL ONE' "$(saved | sed -n 's/.*"vendor_id": "\(.*\)",*/\1/p' | sort | xargs)"

note 'of a target'
while read -r keyword value; do
	conf <<-END
	<target $t>
		$keyword $value
	</target>
	END
	admin -e -f -c "$conf"
	shown "$keyword=$value" params
done <<'END'
MaxRecvDataSegmentLength 65536
MaxXmitDataSegmentLength 65536
HeaderDigest CRC32C
DataDigest CRC32C
InitialR2T No
MaxOutstandingR2T 4
ImmediateData No
FirstBurstLength 131072
MaxBurstLength 524288
DataPDUInOrder Yes
DataSequenceInOrder Yes
ErrorRecoveryLevel 0
IFMarker No
OFMarker No
DefaultTime2Wait 5
DefaultTime2Retain 7
MaxConnections 1
MaxQueueCmd 64
nop_interval 9
nop_count 4
RedirectAddress 192.0.2.9
RedirectCallback /bin/true
END

while IFS='|' read -r keyword text; do
	conf <<-END
	<target $t>
		$keyword
	</target>
	END
	admin -e -f -c "$conf"
	shown "$text" targets
done <<END
controller_tid 42|Target 42: $t
state offline|State: offline
driver iscsi|Driver: iscsi
initiator-address 192.0.2.0/24|        192.0.2.0/24
initiator-address 2001:db8::1|        2001:db8::1
initiator-name iqn.x:y|        iqn.x:y
incominguser u1 secret-of-u1|        u1
outgoinguser u2 secret-of-u2|        u2 (outgoing)
END
conf <<END
<target $t>
</target>
END
admin -e -f -c "$conf"
shown '        ALL' targets

note 'who may not, does not get in'
conf <<END
<target $t>
	backing-store $a
	initiator-address 192.0.2.0/24
</target>
END
admin -e -f -c "$conf"
refuses_login "$(url 1)" 'from an address that is not allowed'

note 'target port groups'
conf <<END
<target $t>
	backing-store $a
	<target-port-group 2>
		alua both
		port 7
		port 8
		preferred 1
		transition_time 9
		state standby
		lun 1 active_optimized
	</target-port-group>
</target>
END
admin -e -f -c "$conf"
tid=$(targets | sed -n 's/^Target \(.*\): .*/\1/p')
for text in 'Target port group: 2' 'State: standby' 'Preferred: Yes' 'ALUA: both' 'Transition time: 9' \
	'Port: 7' 'Port: 8' 'LUN: 1'; do
	shown "$text" adm --mode tpg --op show --tid "$tid"
done

note 'numbers: backing stores by their paths, reserved numbers left out'
"$SRC/tests/lib/rpc.py" config.apply '{"state":{"accounts":[]}}' >"$dir/out"
mkdir "$dir/n"
truncate -s 1M "$dir"/n/{a,b,c,d}
conf <<END
default-driver iscsi
incomingdiscoveryuser du secret-of-du
outgoingdiscoveryuser dv secret-of-dv
iSNS Off
control-port 0
<target $t>
	<backing-store $dir/n/d>
	</backing-store>
	<backing-store $dir/n/b>
	</backing-store>
	<backing-store $dir/n/a>
		lun 2
	</backing-store>
	<backing-store $dir/n/c>
	</backing-store>
</target>
END
admin -e -f -c "$conf"
expect numbers "1 $dir/n/b
2 $dir/n/a
3 $dir/n/c
4 $dir/n/d" "$(targets | sed -n 's/^ *LUN: //p; s/^ *Backing store path: //p' | paste -d' ' - - |
	grep -v '^0 ')"
shown '    du
    dv (outgoing)' adm --mode system --op show
lossless

note 'values with characters that mean something'
conf <<'END'
<target iqn.2001-04.org.example:k>
	incominguser it's pass\#word\$x"y'z
	incominguser two quo"ted\\back
</target>
END
admin -e -f -c "$conf"
shown "pass#word\$x\\\"y'z" saved
lossless

"$SRC/tests/lib/rpc.py" config.apply '{"state":{"accounts":[]}}' >"$dir/out"
note 'other media under the same name; the same file twice'
conf <<END
<target $t>
	<backing-store first>
		path $c
	</backing-store>
	<backing-store second>
		path $c
		readonly 1
	</backing-store>
</target>
END
admin -e -f -c "$conf"
expect paths 2 "$(targets | grep -c "path: $c$")"
lossless
