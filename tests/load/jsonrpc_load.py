# SPDX-License-Identifier: GPL-3.0-or-later
"""
Calls of JSON-RPC 2.0 (jsonrpclib): jsonrpc_load.py PORT N MIDDLE. Waits for a line first; with
MIDDLE=1 its connection is in use by then. Prints what it did: [method, error code or null, count].
"""
import json
import sys
from collections import Counter

import jsonrpclib

port, n, middle = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
server = jsonrpclib.ServerProxy(f"http://127.0.0.1:{port}/RPC2")
did = Counter()


def call(method, *args, **named):
    try:
        getattr(server, method)(*args, **named)
        did[method, None] += 1
    except jsonrpclib.ProtocolError as e:
        did[method, e.args[0][0]] += 1


def batch():
    many = jsonrpclib.MultiCall(server)
    many.echo("a")
    many.echo("b")
    list(many())
    did["batch", None] += 1


if middle:
    call("echo", "before")
    did.clear()
print("ready", flush=True)
sys.stdin.readline()
for i in range(n):
    call("math.add", i, 1)
    call("math.div", i, i % 3)
    call("echo", "x" * (i * 97 % 9000))
    if i % 4 == 0:
        call("nobody")
        server._notify.log(at=i)
        did["log", None] += 1
    if i % 10 == 0:
        batch()
print(json.dumps([[*k, v] for k, v in did.items()]))
