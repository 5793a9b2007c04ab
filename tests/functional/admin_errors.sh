#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is wrong is told with its file, line and keyword, and nothing is changed.
. "$(dirname "$0")/lib/admin.sh"

t=iqn.2001-04.org.example:e
tgtd_start
a=$(disk_file 8M)
mkdir "$dir/conf.d"
conf <<END
<target $t>
	backing-store $a
	incominguser u1 secret-of-u1
</target>
END
admin -e -c "$conf"

# refused LINE EXIT TEXT - with that line in a target.
refused()
{
	note "$1"
	cat >"$dir/conf.d/one.conf" <<-END
	# A comment.
	<target $t:new>
		backing-store $a
		$1
	</target>
	END
	echo "include $dir/conf.d/*.conf" | conf
	unchanged admin_fails "$2" "$3" -e -c "$conf"
	unchanged admin_fails "$2" "nothing was changed" --update ALL -c "$conf"
}

while IFS='|' read -r line code text; do
	refused "$line" "$code" "${text//DIR/$dir/conf.d}"
done <<'END'
vendor-id ACME|1|DIR/one.conf:4: 'vendor-id' is not a keyword of a target; did you mean 'vendor_id'?
colour blue|1|DIR/one.conf:4: 'colour' is not a keyword of a target
Write-Cache on|1|did you mean 'write-cache'?
<backing-stor /x>|1|did you mean <backing-store>?
vendor_id|1|DIR/one.conf:4: 'vendor_id' has no value
<backing-store /x>|1|DIR/one.conf:5: </target> ends <backing-store> of line 4
write-cache maybe|1|DIR/one.conf:4: write-cache: must be on or off
block-size big|1|DIR/one.conf:4: block-size: must be a number
block-size 513|22|DIR/one.conf:4: block-size: target iqn.2001-04.org.example:e:new: LUN 1: a block is
bsoflags fast|22|DIR/one.conf:4: bsoflags:
bs-type nonsense|22|DIR/one.conf:3: backing-store: 
driver iser|1|DIR/one.conf:4: driver: this tgtd has no driver 'iser'
controller_tid 0|22|controller_tid
state asleep|22|DIR/one.conf:4: state:
initiator-address here|22|DIR/one.conf:4: initiator-address:
incominguser onlyone|1|DIR/one.conf:4: incominguser: needs a user and a password
incominguser u9 PLEASE_CORRECT_THE_PASSWORD|22|account u9
MaxBurstLength 1|22|DIR/one.conf:4: MaxBurstLength:
MaxQueueCmd 1000|22|DIR/one.conf:4: MaxQueueCmd:
removable perhaps|22|DIR/one.conf:4: removable:
params nothing|1|DIR/one.conf:4: params:
params colour=blue|22|no parameter 'colour'
<backing-store /x>|1|in a target these are all lines, or all blocks
backing-store /nowhere/at/all|22|No such file or directory
END

note 'the file as a whole'
echo 'targett x' | conf
unchanged admin_fails 1 "$conf:1: 'targett' is not a keyword of the file; did you mean 'target'?" -e -c "$conf"
echo 'iSNS On' | conf
unchanged admin_fails 1 "$conf:1: iSNS:" -e -c "$conf"
conf <<END
<target $t:x>
	incominguser u1 one-password
</target>
<target $t:y>
	incominguser u1 another-password
</target>
END
unchanged admin_fails 1 'another password elsewhere' -e -c "$conf"
conf <<END
<target $t:x>
END
unchanged admin_fails 1 "$conf:1: <target> has no </target>" -e -c "$conf"
unchanged admin_fails 2 "Config file $dir/none not found. Exiting..." -e -c "$dir/none"

# What would swallow the rest of the file, and so remove its targets.
{ echo '/* the rest is off'; printf '<target %s>\n</target>\n' "$t"; } | conf
unchanged admin_fails 1 "$conf:1: the comment has no end" -e -f -c "$conf"
printf 'default-driver <<EOT\niscsi\n<target %s>\n</target>\n' "$t" | conf
unchanged admin_fails 1 "$conf:1: the text until 'EOT' has no end" -e -f -c "$conf"
printf '<target %s>\n\tbacking-store \0/x\n</target>\n' "$t" | conf
unchanged admin_fails 1 "$conf:2: there is a NUL character" -e -f -c "$conf"
echo 'control-port abc' | conf
unchanged admin_fails 1 "$conf:1: control-port: must be a number" -e -f -c "$conf"
echo "include $conf" | conf
unchanged admin_fails 1 "files include each other" -e -f -c "$conf"
for no_file in "$dir" /dev/zero; do
	unchanged admin_fails 2 "cannot read $no_file: it is not a regular file" -e -f -c "$no_file"
done
# A pipe could be read once only.
unchanged admin_fails 2 "it is not a regular file" -e -f -c <(:)

note 'the command line'
unchanged admin_fails 22 'try' --bogus
unchanged admin_fails 22 'only one of' -e --dump
unchanged admin_fails 1 "There is no target with tid 9999, can't continue!" --delete tid=9999
unchanged admin_fails 1 'There is no target with name "iqn.nope", can'"'"'t offline it!' --offline iqn.nope
expect 'no action' 'No action specified.' "$(admin -v)"
admin | grep >"$dir/out" '^Usage: tgt-admin'
expect 'delete of nothing' '# Target with name iqn.nope does not exist!' "$(admin -v --delete iqn.nope)"
TGT_IPC_SOCKET=$dir/nobody admin_fails 107 'cannot reach tgtd' --dump

note 'ignore-errors: the rest is done'
conf <<END
<target $t:x>
	backing-store $a
	backing-store $dir/missing
	direct-store $dir/none
</target>
END
unchanged admin_fails 1 "$conf:4: direct-store: direct-store needs a block device, and there is no $dir/none" \
	-e -c "$conf"
sed -i '/direct-store/d' "$conf"
unchanged admin_fails 22 "$conf:3: backing-store: target $t:x: LUN 2: rdwr $dir/missing: No such" -e -c "$conf"
(echo 'ignore-errors yes'; cat "$conf") >"$dir/ignoring"
sed -i "s|</target>|direct-store $dir/none\n&|" "$conf"
admin -e -f -c "$dir/ignoring" 2>"$dir/err"
grep -q "warning: left out: target $t:x: LUN 2" "$dir/err"
admin --delete ALL
admin -e -f --ignore-errors -c "$conf" 2>"$dir/err"
grep -q "warning: left out: target $t:x: LUN 2" "$dir/err"
grep -q "warning: left out: $conf:4: direct-store: .* there is no $dir/none" "$dir/err"
expect luns 2 "$(adm --mode target --op show | grep -c 'LUN: [01]$')"

note 'a bad path in target 500 of 1000'
python3 - "$dir" >"$dir/many.conf" <<'END'
import sys
for n in range(1000):
    path = sys.argv[1] + ("/nowhere" if n == 499 else "/shared.img")
    print(f"<target iqn.2001-04.org.example:m{n:04}>\n\tbacking-store {path}\n</target>")
END
truncate -s 1M "$dir/shared.img"
unchanged admin_fails 22 "$dir/many.conf:1499: backing-store: target iqn.2001-04.org.example:m0499: LUN 1" \
	-e -c "$dir/many.conf"
expect 'stores that are open' 0 "$(find /proc/"$tgtd_pid"/fd -lname "$dir/shared.img" | wc -l)"
