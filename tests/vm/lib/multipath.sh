# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# dm-multipath over $here_1 and $here_2, after lib/outage.sh:
#
#	multipath_start IQN PORTAL...	log in by all of them, make the map, write to it
#	path_state ADDRESS STATE	wait until multipathd has the path there in it
#	path_in_use ADDRESS		wait until I/O goes by it

# shellcheck disable=SC2034,SC2154

map=/dev/mapper/mpatha

dmesg_expect 'device-mapper: core: CONFIG_IMA_DISABLE_HTABLE is disabled' \
	'device-mapper: multipath: .*(Failing|Reinstating) path' 'alua: ' \
	'FAILED Result|CDB: |Buffer I/O error on dev sd|rejecting I/O to offline device' \
	'I/O error, dev sd[a-z], sector .* op|[Uu]nable to read RDB block' \
	'Asymmetric access state changed'

multipath_start()
{
	guest iqn="$1" portals="${*:2}" map="$map" <<'END'
for p in $portals; do
	discover "$p" >/dev/null
done
# A path that is gone is to fail soon, since there is another.
setting node.session.timeo.replacement_timeout 3
setting 'node.conn[0].timeo.noop_out_interval' 2
setting 'node.conn[0].timeo.noop_out_timeout' 3
modprobe -a dm_multipath scsi_dh_alua dm_round_robin dm_service_time
multipathd >/dev/null 2>&1
wait_for 20 eval 'multipathd show status >/dev/null 2>&1'
login "$iqn"
wait_for 30 test -b "$map" || fail "no map: $(multipathd show paths; multipath -ll)"
wait_for 30 eval '[ "$(multipathd show paths format "%d %t %T" | grep -cE " active +(ready|ghost)")" = 2 ]' ||
	fail "not two paths: $(multipath -ll)"
multipath -ll
END
	writes_on "$map"
}

path_state()
{
	guest iqn="$iqn" address="$1" state="$2" <<'END'
disk=$(disk_of "$iqn" "$address:3260" 1)
wait_for 60 eval 'multipathd show paths format "%d %t" | grep -qx "${disk##*/} *$state *"' ||
	fail "the path by $address is not $state: $(multipathd show paths format "%d %t %T %N")"
END
}

path_in_use()
{
	guest iqn="$iqn" address="$1" <<'END'
disk=$(disk_of "$iqn" "$address:3260" 1)
ios()
{
	awk -v d="${disk##*/}" '$3 == d { print $4 + $8 }' /proc/diskstats
}

before=$(ios)
wait_for 60 eval '[ "$(ios)" -gt $((before + 100)) ]' ||
	fail "nothing goes by $address: $(multipath -ll)"
END
}
