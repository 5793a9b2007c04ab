#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Accounts of targets.conf: they guard targets and discovery, their secrets are on no
# command line and in no log, and only root gets to see them.
. "$(dirname "$0")/lib/admin.sh"

need iscsi-inq iscsi-ls
t=iqn.2001-04.org.example:secret
tgtd_start
iqn=$t
a=$(disk_file 8M)

# accounts PASSWORD-OF-ALICE
accounts()
{
	conf <<-END
	incomingdiscoveryuser finder secret-of-finder
	outgoingdiscoveryuser shower secret-of-shower
	<target $t>
		backing-store $a
		incominguser alice $1
		incominguser bob secret-of-bobby
		outgoinguser disk secret-of-disk
		outgoinguser second secret-of-second
	</target>
	END
}

as_user()
{
	printf 'iscsi://%s%%%s@%s/%s/1%s\n' "$1" "$2" "$portal" $t "${3:+?target_user=$3&target_password=$4}"
}

# discovered [USER PASSWORD]
discovered()
{
	LIBISCSI_CHAP_USERNAME=${1:-} LIBISCSI_CHAP_PASSWORD=${2:-} iscsi-ls "iscsi://$portal" 2>&1 || :
}

note 'it starts no other program, so that none has a secret among its arguments'
perl=$(command -v perl)
accounts secret-of-alice
PATH=$dir/nowhere "$perl" "$SRC/scripts/tgt-admin" -e -c "$conf"
unchanged admin --update ALL -c "$conf"
unchanged admin -e -c "$conf"

note 'they guard'
logs_in "$(as_user alice secret-of-alice)"
logs_in "$(as_user bob secret-of-bobby)"
logs_in "$(as_user alice secret-of-alice disk secret-of-disk)"
refuses_login "$(as_user alice secret-of-bobby)" 'with the secret of another'
refuses_login "$(as_user finder secret-of-finder)" 'as who may only discover'
refuses_login "$(as_user alice secret-of-alice second secret-of-second)" 'only the first one proves the target'
refuses_login "$(url 1)" 'without an account'
[[ $(discovered finder secret-of-finder) == *$t* ]] || fail "discovery: $(discovered finder secret-of-finder)"
[[ $(discovered finder wrong-secret) != *$t* ]] || fail 'discovery with a wrong secret'
[[ $(discovered) != *$t* ]] || fail 'discovery without an account'

note 'another password counts for logins from now on'
session_open s "$(as_user bob secret-of-bobby)"
accounts another-secret
admin --update ALL -c "$conf"
tells s good check
session_close s
refuses_login "$(as_user alice secret-of-alice)" 'with what was the secret'
logs_in "$(as_user alice another-secret)"

note 'they are not told'
dump=$(admin --dump)
[[ $dump == *'incominguser alice PLEASE_CORRECT_THE_PASSWORD'* ]] || fail "dump: $dump"
[[ $dump != *another-secret* ]] || fail "dump: $dump"
[[ $(admin --dump --with-secrets) == *'incominguser alice another-secret'* ]] || fail 'no secrets for root'
printf '%s\n' "$dump" >"$dir/dump.conf"
unchanged admin --update ALL -c "$dir/dump.conf"
logs_in "$(as_user alice another-secret)"
! grep -E 'secret-of|another-secret' "$tgtd_log" || fail 'the log has a secret'
