#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Hostile and clumsy clients of the management socket: each gets an error, or the door, and
# others are served meanwhile; afterwards nothing of them is left.
. "$(dirname "$0")/../lib/common.sh"
need python3

tgtd_start
python3 - "$TGT_IPC_SOCKET.0" "$tgtd_pid" <<'END'
import json, os, socket, sys, time

path, pid = sys.argv[1:]
SHOW = b'{"jsonrpc":"2.0","id":%d,"method":"system.show"}\n'

def client():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    s.connect(path)
    return s

def read_all(s):
    answer = b""
    while True:
        try:
            piece = s.recv(65536)
        except ConnectionResetError:
            return answer
        if not piece:
            return answer
        answer += piece

def ask(data):
    with client() as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass                # turned away before all of it was sent
        return read_all(s)

def call(method, params):
    return b'{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}\n' % (method, params)

def fds():
    return len(os.listdir(f"/proc/{pid}/fd"))

at_first = fds()
PARSE, INVALID, PARAMS = -32700, -32600, -32602
for data, code in (
        (b"\xff" * 1000 + b"\n", PARSE), (b"[" * 1000000 + b"\n", PARSE),
        (b'{"a":' * 300000 + b"\n", PARSE), (b"x\0y\n", PARSE),
        (call(b"target.create", b'{"tid":1,"name":"\xff"}'), PARSE),
        (call(b"target.create", b'{"tid":1,"name":"\\ud800"}'), PARSE),
        (call(b"target.create", b'{"tid":1,"name":"iqn.x:a\\u0000b"}'), PARSE),
        (call(b"target.create", b'{"tid":99999999999999999999,"name":"iqn.x:a"}'), PARSE),
        (call(b"target.create", b'{"tid":1e400,"name":"iqn.x:a"}'), PARSE),
        (call(b"target.create", b'{"tid":1.5,"name":"iqn.x:a"}'), PARAMS),
        (call(b"target.create", b'{"tid":-1,"name":"iqn.x:a"}'), PARAMS),
        (call(b"target.create", b"[1, 2]"), INVALID), (call(b"target.list", b'"x"'), INVALID),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"system.show"}\n', PARSE),
        (b'{"jsonrpc":"2.0","id":{},"method":"system.show"}\n', INVALID),
        (b'{"jsonrpc":"2.0","id":1,"method":{}}\n', INVALID), (b"[]\n", INVALID),
        (b"[" + b"1," * 100000 + b"1]\n", INVALID), (b"x" * (17 << 20), INVALID),
        (call(b"lun.update", b'{"tid":1,"lun":1,"params":{%s}}' %
              b",".join(b'"k%d":1' % i for i in range(10000))), PARAMS),
        (call(b"config.apply", b'{"dry_run":true,"state":{"targets":[%s]}}' %
              b",".join(b'{"name":"iqn.x:%d"}' % i for i in range(70000))), PARAMS)):
    answer = ask(data)
    assert json.loads(answer)["error"]["code"] == code, (data[:100], answer[:300])
    assert b'"result"' in ask(SHOW % 1)
assert ask(SHOW[:20]) == b"", "half a call is answered"

# Many lines at once, most of them blank, in pieces that end anywhere.
stream = b"".join(b"\n" * (i % 700) + b" \t\r\n" + SHOW % i for i in range(2000))
with client() as s:
    s.setblocking(True)
    ids, buffered = [], b""
    for at in range(0, len(stream), 7919):
        s.sendall(stream[at:at + 7919])
        while len(ids) < stream[:at + 7919].count(b"system.show\"}\n"):
            buffered += s.recv(65536)
            *lines, buffered = buffered.split(b"\n")
            ids += [json.loads(line)["id"] for line in lines]
    assert ids == list(range(2000)), "answers are lost, or in another order"

# Some who ask and never read, and one who sends a byte at a time.
deaf = []
for _ in range(20):
    s = client()
    s.setblocking(False)
    try:
        s.send(b'{"jsonrpc":"2.0","id":1,"method":"system.describe"}\n' * 1000)
    except BlockingIOError:
        pass
    deaf.append(s)
with client() as s:
    for byte in SHOW % 5:
        s.send(bytes([byte]))
    assert b'"result"' in s.recv(65536)

# More than are let in: the others hear why.
crowd = [client() for _ in range(200)]
heard = ask(SHOW % 1)
assert b"too many management clients" in heard, heard
for s in crowd + deaf:
    s.close()
deadline = time.monotonic() + 60
while fds() > at_first:
    assert time.monotonic() < deadline, f"{fds()} descriptors, {at_first} at first"
    time.sleep(0.05)
assert b'"result"' in ask(SHOW % 1)
END
expect "targets" '' "$(adm --mode target --op show)"
