#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A LUN without a backing store is a drive for removable media that is empty, as tgt has
# it: initiators are told so, a medium can be put in, and saving, dumping and applying a
# configuration keep it as it is.
. "$(dirname "$0")/lib/admin.sh"

lun_1() { show target | sed -n '/^        LUN: 1$/,/^    Account/p'; }

tgtd_start
target_new
note "made without a path"
said=$(adm --mode logicalunit --op new --tid "$tid" --lun 1 2>&1)
[[ $said == *"warning: LUN 1 is a drive without a medium"* ]] || fail "said '$said'"
acl_bind "$tid" ALL
for line in 'Type: disk' 'Size: 0 MB, Block size: 512' 'Online: No' 'Removable media: Yes' \
	'Backing store type: rdwr' 'Backing store path: None'; do
	has "$(lun_1)" "            $line"
done
has "$(iscsi-inq "$(url 1)")" 'Removable:1'

note "what cannot be"
adm_fails 22 'only a removable LUN' --mode lu --op new --tid "$tid" --lun 2 --params removable=0
adm_fails 22 'give its path' --mode lu --op new --tid "$tid" --lun 2 --params atomic_write=65536
adm_fails 22 "no option 'bogus'" --mode lu --op new --tid "$tid" --lun 2 --bsopts bogus=1
adm_fails 22 "no backing-store module 'bogus'" --mode lu --op new --tid "$tid" --lun 2 --bstype bogus

note "kept by save, restore and dump"
lossless
adm --mode system --op save >"$dir/empty"
expect "nothing to do" '' "$(adm --mode system --op restore --dry-run --file "$dir/empty")"

note "a medium, and no medium"
a=$(disk_file 8M)
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params path="$a"
has "$(lun_1)" "            Backing store path: $a"
has "$(lun_1)" '            Online: Yes'
io "$(url 1)" 'write -P 0x5a 0 64k'
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params path=
adm --mode system --op save | diff "$dir/empty" - || fail "emptied, it is not what it was when it was made"
cmp -n 65536 "$a" <(head -c 65536 /dev/zero | tr '\0' '\132')

note "targets.conf: NONE:1"
conf <<END
<target $iqn>
	<backing-store NONE:1>
		lun 1
	</backing-store>
</target>
END
admin -e -f -c "$conf" 2>"$dir/said" || fail "$(cat "$dir/said")"
has "$(lun_1)" '            Backing store path: None'
conf <<END
<target $iqn>
	backing-store NONE:1
	backing-store $a
</target>
END
admin -e -f -c "$conf"
has "$(show target)" "            Backing store path: $a"
expect "LUNs" '0 1 2' "$(show target | sed -n 's/^        LUN: //p' | xargs)"
