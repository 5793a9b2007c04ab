#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A tgtadm of tgt itself, as in an old container image, is told at once that this is not
# supported; it does not wait for an answer of its own kind for good.
. "$(dirname "$0")/../lib/common.sh"
need python3

tgtd_start
python3 - "$TGT_IPC_SOCKET.0" <<'END'
import socket, struct, sys

def ask(*pieces):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(sys.argv[1])
        for piece in pieces:
            s.sendall(piece)
        answer = s.recv(100)
        assert s.recv(100) == b"", "it is not the end"
        return answer

# "show" of mode "target": 120 bytes, without text.
request = struct.pack("=II64sIi", 1, 2, b"iscsi", 120, -1).ljust(120, b"\0")
refused = struct.pack("=II", 22, 8)
assert ask(request) == refused
assert ask(request[:3], request[3:]) == refused
# "new", with text, which comes by itself.
text = b"targetname=iqn.x:y"
request = struct.pack("=II64sIi", 1, 0, b"iscsi", 120 + len(text), 1).ljust(120, b"\0")
assert ask(request, text) == refused
END
if dpkg -S /usr/sbin/tgtadm 2>/dev/null | grep -q '^tgt:'; then
	code=0
	said=$(timeout 30 /usr/sbin/tgtadm --mode target --op show 2>&1) || code=$?
	expect "what tgt's own says" "22 tgtadm: this operation isn't supported" "$code $said"
	code=0
	said=$(timeout 30 /usr/sbin/tgtadm --mode target --op new --tid 1 --targetname iqn.x:y 2>&1) || code=$?
	expect "what tgt's own says" "22 tgtadm: this operation isn't supported" "$code $said"
fi
grep -q 'a tgtadm of tgt itself' "$tgtd_log" || fail "not a word in the log"
expect "targets" '' "$(adm --mode target --op show)"
