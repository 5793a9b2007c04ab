#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm --mode target --op show --tid N: the parameters, their order and defaults,
# and that each can be changed.
. "$(dirname "$0")/lib/initiators.sh"

tgtd_start
target_new
cat >"$dir/defaults" <<'END'
MaxRecvDataSegmentLength=8192
HeaderDigest=None
DataDigest=None
InitialR2T=Yes
MaxOutstandingR2T=1
ImmediateData=Yes
FirstBurstLength=65536
MaxBurstLength=262144
DataPDUInOrder=Yes
DataSequenceInOrder=Yes
ErrorRecoveryLevel=0
IFMarker=No
OFMarker=No
DefaultTime2Wait=2
DefaultTime2Retain=20
OFMarkInt=Reject
IFMarkInt=Reject
MaxConnections=1
RDMAExtensions=Yes
TargetRecvDataSegmentLength=262144
InitiatorRecvDataSegmentLength=262144
MaxOutstandingUnexpectedPDUs=0
MaxXmitDataSegmentLength=8192
MaxQueueCmd=128
END
show target --tid "$tid" >"$dir/shown"
diff -u "$dir/defaults" <(grep -v '^nop_' "$dir/shown") || fail "the parameters differ"
expect "the first two" "nop_interval nop_count" \
	"$(head -n 2 "$dir/shown" | cut -d= -f1 | paste -sd' ')"

for change in MaxRecvDataSegmentLength=262144 HeaderDigest=CRC32C DataDigest=CRC32C \
	InitialR2T=No MaxOutstandingR2T=8 ImmediateData=No FirstBurstLength=262144 \
	MaxBurstLength=1048576 DefaultTime2Wait=5 DefaultTime2Retain=0 \
	MaxXmitDataSegmentLength=65536 MaxQueueCmd=32 nop_interval=9 nop_count=2; do
	adm --mode target --op update --tid "$tid" --name "${change%%=*}" --value "${change#*=}"
	has "$(show target --tid "$tid")" "$change"
done
expect "number of parameters" "$(wc -l <"$dir/shown")" "$(show target --tid "$tid" | wc -l)"
