#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""rpc.py METHOD [PARAMS] - one call to the daemon of TGT_IPC_SOCKET.

PARAMS is JSON, or @FILE.  Prints the result; or the error's message and
data, exit 1.
"""
import json
import os
import socket
import sys


def call(method, params, port="0"):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(f"{os.environ['TGT_IPC_SOCKET']}.{port}")
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        s.sendall(json.dumps(request).encode() + b"\n")
        with s.makefile("rb") as answers:
            return json.loads(answers.readline())


def main():
    text = sys.argv[2] if len(sys.argv) > 2 else "{}"
    if text.startswith("@"):
        with open(text[1:], encoding="utf-8") as f:
            text = f.read()
    answer = call(sys.argv[1], json.loads(text))
    if "error" in answer:
        print(answer["error"]["message"])
        print(answer["error"]["data"].get("field", ""))
        return 1
    print(json.dumps(answer["result"], indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
