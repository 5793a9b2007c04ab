#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm --mode target --op show: every line and blank, with no session and with one.
. "$(dirname "$0")/lib/initiators.sh"

lun_block()	# LUN ID SN MB STORE PATH FLAGS THIN
{
	cat <<END
        LUN: $1
            Type: disk
            SCSI ID: $2
            SCSI SN: $3
            Size: $4 MB, Block size: 512
            Online: Yes
            Removable media: No
            Prevent removal: No
            Readonly: No
            SWP: No
            Thin-provisioning: $8
            Backing store type: $5
            Backing store path: $6
            Backing store flags: $7
END
}

same()
{
	diff -u <(printf '%s\n' "$2") <(printf '%s\n' "$1") || fail "$3: the output differs"
}

# The controller's identity is the daemon's choice: its two lines are checked
# for their shape only.
shown()
{
	show target | sed -E '/^        LUN: 0$/,/^        LUN: [1-9]/{
		s/^(            SCSI ID: ).{1,36}$/\1*/
		s/^(            SCSI SN: ).{1,36}$/\1*/
	}'
}

tgtd_start
expect "no targets" "" "$(show target)"
target_new iqn.2001-04.com.example:t1
a=$(disk_file 64M)
b=$(disk_file 6G)
lun_new "$tid" 3 "$b" --bsoflags sync
lun_new "$tid" 1 "$a"
adm --mode logicalunit --op update --tid 1 --lun 1 \
	--params scsi_id=ID0001,scsi_sn=SN0001,thin_provisioning=1
adm --mode logicalunit --op update --tid 1 --lun 3 --params scsi_id=ID0003,scsi_sn=SN0003
adm --mode account --op new --user in --password secret-of-inner
adm --mode account --op new --user out --password secret-of-outer
adm --mode target --op bind --tid 1 --initiator-name iqn.1994-05.com.example:init
acl_bind 1 ALL
acl_bind 1 127.0.0.0/8
adm --mode target --op update --tid 1 --name nop_interval --value 5
adm --mode target --op update --tid 1 --name nop_count --value 3

head='Target 1: iqn.2001-04.com.example:t1
    System information:
        Driver: iscsi
        State: ready
        Nop interval: 5
        Nop count: 3
    I_T nexus information:'
luns='    LUN information:
        LUN: 0
            Type: controller
            SCSI ID: *
            SCSI SN: *
            Size: 0 MB, Block size: 1
            Online: Yes
            Removable media: No
            Prevent removal: No
            Readonly: No
            SWP: No
            Thin-provisioning: No
            Backing store type: null
            Backing store path: None
            Backing store flags: 
'$(lun_block 1 ID0001 SN0001 67 rdwr "$a" '' Yes)'
'$(lun_block 3 ID0003 SN0003 6442 rdwr "$b" sync No)
tail='    Account information:
    ACL information:
        ALL
        127.0.0.0/8
        iqn.1994-05.com.example:init'
same "$(shown)" "$head
$luns
$tail" "without session"

session_open s "$(url 1)" iqn.1994-05.com.example:init
sid=$(show conn --tid 1 | sed -n 's/^Session: //p')
[[ $sid =~ ^[1-9][0-9]*$ ]] || fail "session id: $sid"
same "$(shown)" "$head
        I_T nexus: $sid
            Initiator: iqn.1994-05.com.example:init alias: none
            Connection: 0
                IP Address: 127.0.0.1
$luns
$tail" "with a session"
same "$(show conn --tid 1)" "Session: $sid
    Connection: 0
        Initiator: iqn.1994-05.com.example:init
        IP Address: 127.0.0.1" "mode conn"
session_close s
same "$(shown)" "$head
$luns
$tail" "after the session"

# Probes off: their lines go.  Accounts, the outgoing one last.
adm --mode target --op update --tid 1 --name nop_interval --value 0
adm --mode account --op bind --tid 1 --user in
adm --mode account --op bind --tid 1 --user out --outgoing
target_new iqn.2001-04.com.example:t0
adm --mode target --op new --tid 12 --targetname iqn.2001-04.com.example:t12
all=$(show target)
has_not "$all" '        Nop count: 3'
grep -A2 -xF '    Account information:' <<<"$all" | head -n 3 >"$dir/accounts"
same "$(cat "$dir/accounts")" '    Account information:
        in
        out (outgoing)' accounts
same "$(grep ^Target <<<"$all")" 'Target 1: iqn.2001-04.com.example:t1
Target 2: iqn.2001-04.com.example:t0
Target 12: iqn.2001-04.com.example:t12' "order of targets"
