# SPDX-License-Identifier: GPL-3.0-or-later
"""A gRPC server that writes down each call: grpc_serve.py PORT ACCOUNT (method, status, messages in, out)."""
import sys
import threading
import time
from concurrent import futures

import grpc

account, lock = open(sys.argv[2], "w"), threading.Lock()


def log(method, status, got, gave):
    with lock:
        print(method, status, got, gave, file=account, flush=True)


def fail(context, code):
    context.set_code(code)
    context.set_details(f"as asked: {code.value[0]} ä")


def codes():
    return {c.value[0]: c for c in grpc.StatusCode}


class Calls(grpc.GenericRpcHandler):
    """/test.Kind/Name: Kind says how messages go, "fail N" asks for status N, "sleep S" for time."""

    def service(self, details):
        kind, name = details.method.rsplit("/", 2)[-2:]
        make = {"test.Unary": (grpc.unary_unary_rpc_method_handler, self.unary),
                "test.Watch": (grpc.unary_stream_rpc_method_handler, self.watch),
                "test.Push": (grpc.stream_unary_rpc_method_handler, self.push),
                "test.Talk": (grpc.stream_stream_rpc_method_handler, self.talk)}.get(kind)
        if not make or name == "Missing":
            log(details.method, 12, 0, 0)
            return None
        return make[0](lambda r, c: make[1](details.method, r, c))

    def unary(self, method, asked, context):
        word, _, number = asked.partition(b" ")
        if word == b"fail":
            code = codes()[int(number)]
            log(method, code.value[0], 1, 0)
            context.abort(code, f"as asked: {code.value[0]} ä")
        if word == b"sleep":
            time.sleep(float(number))
        log(method, 0, 1, 1)
        return asked

    def watch(self, method, asked, context):
        n, _, size = asked.partition(b" ")
        for i in range(int(n)):
            yield bytes(int(size))
        log(method, 0, 1, int(n))

    def push(self, method, asked, context):
        n = sum(1 for _ in asked)
        log(method, 0, n, 1)
        return b"%d" % n

    def talk(self, method, asked, context):
        n = 0
        for m in asked:
            n += 1
            yield m
        fail(context, grpc.StatusCode.DATA_LOSS if n == 3 else grpc.StatusCode.OK)
        log(method, 15 if n == 3 else 0, n, n)


server = grpc.server(futures.ThreadPoolExecutor(16), [Calls()])
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
