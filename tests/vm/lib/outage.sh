# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Verified writes that an outage comes in the midst of:
#
#	writes_start PORTAL	log in to LUN 1 of $iqn, write, read and compare until...
#	writes_go_on		wait until there is more I/O than a moment ago
#	writes_end [OUTAGES]	...here; there was no error and no other byte

# shellcheck disable=SC2119,SC2120,SC2154

RECOVERY_SECONDS=120
PING_SECONDS=${PING_SECONDS:-2}		# the initiator's; 0: none

# What the kernel has to say of connections that end.
dmesg_expect 'connection[0-9]+:0: (detected conn error|ping timeout)' \
	'session[0-9]+: .*(recovery|timed out)' 'iscsi: .*'

# writes_on PATH - the script that writes until /run/enough is there.
writes_on()
{
	guest_bg writes path="$1" <<'END'
: >/run/verified
until [ -e /run/enough ]; do
	fio --name=w --filename="$path" --size=32M --rw=randrw --rwmixread=30 --bsrange=4k-128k \
		--iodepth=8 --ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 \
		--verify_backlog=64 --output-format=json --output=/run/fio ||
		{ cat /run/fio; exit 1; }
	verified /run/fio >>/run/verified
done
END
	writes_go_on
}

writes_start()
{
	guest iqn="$iqn" portal="$1" ping="$PING_SECONDS" <<'END'
discover "$portal" >/dev/null
setting 'node.conn[0].timeo.noop_out_interval' "$ping"
setting 'node.conn[0].timeo.noop_out_timeout' "$((ping ? ping + 1 : 0))"
setting node.session.err_timeo.abort_timeout 5
setting node.session.err_timeo.lu_reset_timeout 5
setting node.session.err_timeo.tgt_reset_timeout 5
# None of these outages is to end in an error, however slow the machine.
setting node.session.timeo.replacement_timeout 600
login "$iqn" "$portal"
disk=$(disk_of "$iqn" "$portal" 1)
echo "${disk##*/}" >/run/disk
END
	writes_on "$(guest_job "$guest" 10 <<<'echo /dev/$(</run/disk)')"
}

writes_go_on()
{
	guest seconds="$RECOVERY_SECONDS" <<'END'
ios()
{
	awk '$3 ~ /^sd/ { n += $4 + $8 } END { print n }' /proc/diskstats
}

before=$(ios)
wait_for "$seconds" eval '[ "$(ios)" -gt $((before + 100)) ] || [ -e /run/writes.code ]' ||
	fail "no I/O within $seconds s; sessions: $(iscsiadm -m session -P 1 2>&1)"
[ ! -e /run/writes.code ] || { cat /run/writes.log; fail "the writes ended"; }
END
}

writes_end()
{
	guest <<<'touch /run/enough'
	guest_wait writes "$RECOVERY_SECONDS"
	figure "$(guest_job "$guest" 10 <<<'awk "{ n += \$1 } END { print n }" /run/verified')" "bytes verified"
	figure "${1:-1}" "outages survived"
}
