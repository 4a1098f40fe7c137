# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls with metadata: grpc_metadata.py serve PORT | call PORT N (waits for a line first)."""
import sys
from concurrent import futures

import grpc


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        def answer(asked, context):
            context.send_initial_metadata((("x-served-by", "echo"),))
            context.set_trailing_metadata((("x-cost", asked.decode()), ("x-token", "t0p")))
            return asked
        return grpc.unary_unary_rpc_method_handler(answer)


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(4), [Echo()])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def call(port, n):
    sys.stdin.readline()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = channel.unary_unary("/test.Meta/Ask")
        for i in range(int(n)):
            ask(b"%d" % i, metadata=(("x-user", f"user {i}"), ("x-user", "again"), ("authorization", "Bearer s3cret"),
                                     ("baggage", f"tenant=blue,session_id=s3cret,n={i}")))


{"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
