#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Keywords of targets.conf that say what there is and who may use it; those of a disk
# and of negotiation are in admin_keywords_disk.sh and admin_keywords_target.sh.
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

targets()
{
	adm --mode target --op show
}

saved()
{
	adm --mode system --op save --with-secrets
}

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
admin --delete ALL
conf <<END
<target $t>
	backing-store $a
	initiator-address 192.0.2.0/24
</target>
END
admin -e -f -c "$conf"
refuses_login "$(url 1)" 'from an address that is not allowed'
conf <<END
<target $t>
	backing-store $a
	initiator-address 127.0.0.0/8
	initiator-name iqn.2001-04.org.example:friend
</target>
END
admin -e -f -c "$conf"
logs_in "$(url 1)" --initiator-name iqn.2001-04.org.example:friend
refuses_login "$(url 1)" 'by a name that is not allowed' --initiator-name iqn.2001-04.org.example:foe
conf <<END
<target $t>
	backing-store $a
	initiator-address 192.0.2.0/24
	initiator-address 127.0.0.1
</target>
END
admin -e -f -c "$conf"
logs_in "$(url 1)"
sed -i 's/<target.*/&\nstate offline/' "$conf"
admin -e -f -c "$conf"
refuses_login "$(url 1)" 'to a target that is offline'

note 'of the file'
mkdir "$dir/included"
printf '<target %s>\n\tbacking-store %s\n</target>\n' $t "$b" >"$dir/included/one.conf"
for what in "$dir/included/one.conf" "$dir/included" "$dir/included/*.conf"; do
	admin --delete ALL
	conf <<-END
	default-driver iscsi
	iSNS Off
	include $what
	END
	admin -e -c "$conf"
	shown "Backing store path: $b" targets
done
echo 'default-driver iser' >>"$conf"
sed -i '/^default-driver iscsi/d' "$conf"
admin_fails 1 "this tgtd has no driver 'iser', only iscsi" -e -c "$conf"
# The number of the daemon: nobody answers at 9, unless the command line knows better.
echo 'control-port 9' | conf
admin_fails 107 "cannot reach tgtd at $TGT_IPC_SOCKET.9" -e -c "$conf"
admin -C 0 -p -e -c "$conf" >"$dir/out"
for line in 'iSNS On' 'iSNS Yes'; do
	printf '%s\niSNSServerIP 192.0.2.1\niSNSServerPort 3205\niSNSAccessControl On\n' "$line" | conf
	unchanged admin_fails 1 "$conf:1: iSNS: there is no iSNS here, only 'iSNS Off' can be" \
		-e -c "$conf"
	unchanged admin -p --ignore-errors --update "$t" -c "$conf" 2>"$dir/err"
	grep -q "warning: left out: $conf:1: iSNS: there is no iSNS here" "$dir/err"
done

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
