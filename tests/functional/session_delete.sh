#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tgtadm ends one session of several; the rest do not notice.
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
session_open a "$(url 1)" iqn.2001-04.org.example:a
session_open b "$(url 1)" iqn.2001-04.org.example:b
sid=$(show conn --tid "$tid" | awk '/^Session: /{s = $2} /Initiator: .*:a$/{print s}')
[ -n "$sid" ] || fail "no session of a in: $(show conn --tid "$tid")"
adm_fails 22 "can't find the session" --mode conn --op delete --tid "$tid" --sid 9999 --cid 0
adm_fails 22 "can't find the connection" --mode conn --op delete --tid "$tid" --sid "$sid" --cid 99
cid=$(show conn --tid "$tid" | awk -v want="$sid" '/^Session: /{s = $2}
	/^    Connection: / && s == want {print $2}')
adm --mode conn --op delete --tid "$tid" --sid "$sid" --cid "$cid"
tells a lost tur
tells b good check
expect "sessions" 1 "$(nr_sessions "$tid")"
session_close b
expect "sessions" 0 "$(nr_sessions "$tid")"
