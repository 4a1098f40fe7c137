# SPDX-License-Identifier: GPL-3.0-or-later
"""
Calls of all kinds: grpc_load.py PORT N MIDDLE. Waits for a line first; with MIDDLE=1 its connection
is in use by then (methods named Old). Prints what it saw: [method, status, messages out, in] each.
"""
import json
import os
import random
import sys
import time
from concurrent import futures

import grpc

port, n, middle = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
random.seed(7)
channel = grpc.insecure_channel(f"127.0.0.1:{port}")
seen = []
rest = int(os.environ.get("LOAD_PAUSE_US", 0)) / 1e6


def tell(method, call, sent, got):
    seen.append([method, call.code().value[0], sent, got])


def unary(method, asked=b"x", sent=1):
    try:
        _, call = channel.unary_unary(method).with_call(asked, metadata=trace())
        tell(method, call, sent, 1)
    except grpc.RpcError as call:
        tell(method, call, sent, 0)


def watch(method, messages, size):
    call = channel.unary_stream(method)(b"%d %d" % (messages, size))
    got = sum(1 for _ in call)
    tell(method, call, 1, got)


def push(method, messages, size):
    reply, call = channel.stream_unary(method).with_call(iter([bytes(size)] * messages))
    assert reply == b"%d" % messages
    tell(method, call, messages, 1)


def talk(method, messages, size):
    call, got = channel.stream_stream(method)(iter([bytes(size)] * messages)), 0
    try:
        for _ in call:
            got += 1
    except grpc.RpcError:
        pass
    tell(method, call, messages, got)


def trace():
    return (("traceparent", f"00-{random.getrandbits(128) | 1:032x}-{random.getrandbits(64) | 1:016x}-01"),)


def one(i, name):
    time.sleep(rest)
    size = random.choice([0, 1, 100, 5000, 70000, 300000])
    kind = i % 8
    if kind == 0:
        watch(f"/test.Watch/{name}", random.randrange(20), size)
    elif kind == 1:
        push(f"/test.Push/{name}", random.randrange(20), size)
    elif kind == 2:
        talk(f"/test.Talk/{name}", random.randrange(8), size)
    elif kind == 3:
        unary(f"/test.Unary/{name}", b"fail %d" % random.randrange(1, 17))
    elif kind == 4:
        unary("/test.Unary/Missing")
    elif kind == 5:
        unary(f"/test.Unary/{name}", bytes(size))
    else:
        unary(f"/test.Unary/{name}", b"x%d" % i)


def many(count, name):
    with futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda i: one(i, name), range(count)))


if middle:
    many(40, "Old")
    unary("/test.Unary/Old", b"sleep 0.01")
    seen.clear()
print("ready", flush=True)
sys.stdin.readline()
for i in range(20):  # before anything large: who joins in the middle may take a moment
    unary("/test.Unary/Old", b"small")
many(n // 4 - 20, "Old")
many(n - n // 4, "New")
unary("/test.Unary/Slow", b"sleep 0.1")
channel.close()
print(json.dumps(seen))
