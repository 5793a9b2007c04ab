#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Each keyword of targets.conf that is about sessions has its effect, as an initiator
# sees it: in what the target answers to a login, and does with it.
. "$(dirname "$0")/lib/admin.sh"

t=iqn.2001-04.org.example:k
tgtd_start
iqn=$t
a=$(disk_file 8M)
# Answers with an address, as tgt's callbacks do.
printf '#!/bin/sh\necho 192.0.2.7:3299:Permanent\n' >"$dir/callback"
chmod +x "$dir/callback"

seen()
{
	printf '%s\n' "$1" | python3 "$lib/seen.py" "$portal" $t
}

# Keywords are separated by semicolons.
while IFS='|' read -r keywords question answer; do
	{
		printf '<target %s>\n\tbacking-store %s\n' $t "$a"
		tr ';' '\n' <<<"$keywords"
		printf '</target>\n'
	} | conf
	admin -e -f -c "$conf"
	expect "$keywords ($question)" "$answer" "$(seen "$question")"
	while read -r keyword value; do
		[[ $keyword != [A-Z]* || $keyword == *MarkInt || $keyword == Redirect* ]] ||
			has "$(show target --tid 1)" "$keyword=$value"
	done < <(tr ';' '\n' <<<"$keywords")
done <<END
MaxRecvDataSegmentLength 65536|declares MaxRecvDataSegmentLength|65536
MaxXmitDataSegmentLength 4096|largest 65536|4096
HeaderDigest CRC32C|key HeaderDigest=CRC32C,None|CRC32C
HeaderDigest None|key HeaderDigest=CRC32C,None|None
DataDigest CRC32C|key DataDigest=CRC32C,None|CRC32C
DataDigest None|key DataDigest=CRC32C,None|None
InitialR2T No|key InitialR2T=No|No
InitialR2T Yes|key InitialR2T=No|Yes
MaxOutstandingR2T 4|key MaxOutstandingR2T=8|4
ImmediateData No|key ImmediateData=Yes|No
ImmediateData Yes|key ImmediateData=Yes|Yes
FirstBurstLength 131072|key FirstBurstLength=262144|131072
MaxBurstLength 524288|key MaxBurstLength=1048576|524288
DataPDUInOrder Yes|key DataPDUInOrder=No|Yes
DataSequenceInOrder Yes|key DataSequenceInOrder=No|Yes
ErrorRecoveryLevel 0|key ErrorRecoveryLevel=2|0
IFMarker No|key IFMarker=Yes|No
OFMarker No|key OFMarker=Yes|No
IFMarkInt 2048|key IFMarkInt=1~65535|Reject
OFMarkInt 2048|key OFMarkInt=1~65535|Reject
DefaultTime2Wait 5|key DefaultTime2Wait=1|5
DefaultTime2Retain 7|key DefaultTime2Retain=60|7
MaxConnections 1|key MaxConnections=4|1
MaxQueueCmd 16|window|16
nop_interval 1;nop_count 3|ping|3
RedirectAddress 192.0.2.9|moved|0101 TargetAddress=192.0.2.9:3260
RedirectAddress 192.0.2.9;RedirectPort 3299|moved|0101 TargetAddress=192.0.2.9:3299
RedirectAddress 192.0.2.9;RedirectReason Permanent|moved|0102 TargetAddress=192.0.2.9:3260
RedirectCallback $dir/callback|moved|0102 TargetAddress=192.0.2.7:3299
END

note 'what is not there is refused'
while read -r keyword; do
	printf '<target %s>\n\t%s\n</target>\n' $t "$keyword" | conf
	unchanged admin_fails 22 "$conf:2: ${keyword%% *}:" -e -f -c "$conf"
done <<'END'
ErrorRecoveryLevel 1
MaxConnections 2
IFMarker Yes
OFMarker Yes
DataPDUInOrder No
HeaderDigest MD5
MaxBurstLength 511
RedirectReason Perhaps
RedirectPort 70000
nop_interval -1
END
