#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timeout: 180
# Pacemaker's own agents iSCSITarget and iSCSILogicalUnit (package resource-agents)
# start, watch and stop a target and its LUN, also while an initiator uses it.
. "$(dirname "$0")/lib/initiators.sh"

agents=/usr/lib/ocf/resource.d/heartbeat
[ -x $agents/iSCSITarget ] || skip "resource-agents is not installed"

SUCCESS=0 NOT_RUNNING=7
iqn=iqn.2001-04.org.example:pacemaker
disk=$(disk_file 16M)
export PATH=$BUILD:$PATH OCF_ROOT=/usr/lib/ocf HA_RSCTMP=$dir/ha HA_LOGTAG=test HA_debug=0
export OCF_RESKEY_implementation=tgt OCF_RESKEY_CRM_meta_interval=0 OCF_RESOURCE_TYPE=x
mkdir "$HA_RSCTMP"

# agent CODE NAME ACTION [PARAMETER=VALUE...]
agent()
{
	local wanted=$1 name=$2 action=$3 code=0 set=()
	shift 3

	for p; do
		set+=("OCF_RESKEY_$p")
	done
	env OCF_RESOURCE_INSTANCE="$name-1" OCF_RESKEY_CRM_meta_timeout=30000 "${set[@]}" \
		timeout 20 "$agents/$name" "$action" >"$dir/said" 2>&1 </dev/null || code=$?
	[ "$code" -eq "$wanted" ] || fail "$name $action: $code, expected $wanted: $(cat "$dir/said")"
}

target()
{
	agent "$1" iSCSITarget "$2" iqn=$iqn tid=7 "allowed_initiators=127.0.0.0/8 192.0.2.1" \
		incoming_username=alice incoming_password=a-long-secret \
		"additional_parameters=DefaultTime2Retain=60 MaxQueueCmd=64" "${@:3}"
}

unit()
{
	agent "$1" iSCSILogicalUnit "$2" target_iqn=$iqn lun=3 path="$disk" scsi_id=PCMK0001 \
		scsi_sn=SN0001 vendor_id=ACME product_id=DISK tgt_bstype=rdwr \
		tgt_bsoflags=direct tgt_device_type=disk \
		"additional_parameters=mode_page=8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:0:0:0:0:0:0 thin_provisioning=1" \
		"${@:3}"
}

tgtd_start
note "validate and probe"
target $SUCCESS validate-all
target $NOT_RUNNING monitor
unit $NOT_RUNNING monitor

note "start, twice: the second finds it done"
target $SUCCESS start
target $SUCCESS monitor
target $SUCCESS start
unit $NOT_RUNNING monitor
unit $SUCCESS start
unit $SUCCESS monitor
unit $SUCCESS start
shown=$(adm --mode target --op show)
for line in "Target 7: $iqn" '    LUN: 3' "Backing store path: $disk" 'Backing store flags: direct' \
	'SCSI ID: PCMK0001' 'SCSI SN: SN0001' 127.0.0.0/8 192.0.2.1 alice; do
	[[ $shown == *"$line"* ]] || fail "no '$line' in: $shown"
done
for line in DefaultTime2Retain=60 MaxQueueCmd=64; do
	has "$(show target --tid 7)" "$line"
done
has "$shown" '            Thin-provisioning: Yes'
credentials="alice%a-long-secret@"
inquiry=$(iscsi-inq "iscsi://$credentials$portal/$iqn/3")
[[ $inquiry == *ACME*DISK* ]] || fail "INQUIRY: $inquiry"
if iscsi-inq "iscsi://$portal/$iqn/3" >"$dir/said" 2>&1; then
	fail "let in without an account"
fi

note "stop, with an initiator logged in"
session_open s "iscsi://$credentials$portal/$iqn/3"
tells s good check
unit $SUCCESS stop
unit $NOT_RUNNING monitor
tells s 'sense 5/2500' tur
session_close s
session_open t "iscsi://$credentials$portal/$iqn/0"
target $SUCCESS stop
target $NOT_RUNNING monitor
target $SUCCESS stop
unit $SUCCESS stop
expect "what is left" '' "$(adm --mode target --op show)"
expect "accounts that are left" '' "$(adm --mode account --op show)"
