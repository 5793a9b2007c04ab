#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A daemon that is ending makes nothing new, whatever a management client that is
# still connected asks for: no target, no LUN, and no portal to let somebody in.
# alone
. "$(dirname "$0")/lib/initiators.sh"

disk 8M
python "$(url 1)" "$(find "$dir" -name 'socket.*' ! -name '*.lock')" "$tgtd_pid" "$tid" <<'END'
import json, signal, socket
url, path, pid, tid = sys.argv[1:]
client = socket.socket(socket.AF_UNIX)
client.settimeout(20)
client.connect(path)
answers = client.makefile("rb")

def call(method, **params):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    client.sendall(json.dumps(request).encode() + b"\n")
    return json.loads(answers.readline())

def refused(method, **params):
    answer = call(method, **params)
    check("is ending" in answer.get("error", {}).get("message", ""), method, answer)

check("result" in call("system.show"), "no answer")
s = Session(url)                  # which does not log out: the daemon waits for it
s.ready()
os.kill(int(pid), signal.SIGTERM)
while call("portal.list")["result"]["portals"]:
    pass
refused("portal.create", portal="127.0.0.1:0")
refused("driver.start")
refused("target.create", tid=9, name="iqn.2001-04.org.example:nine")
refused("lun.create", tid=int(tid), lun=9, bstype="null")
s.destroy()
END
wait_for "$STOP_SECONDS" eval "! running $tgtd_pid" || fail "tgtd runs on"
code=0
wait "$tgtd_pid" || code=$?
tgtd_pid=
expect "exit code" 0 "$code"
no_report || fail "a sanitizer complains"
