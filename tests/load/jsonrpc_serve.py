# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of JSON-RPC 2.0 (jsonrpclib): jsonrpc_serve.py PORT ACCOUNT

Writes down the method of each call that it is asked for, as the library names it."""
import sys

from jsonrpclib.SimpleJSONRPCServer import PooledJSONRPCServer, SimpleJSONRPCRequestHandler


class Handler(SimpleJSONRPCRequestHandler):
    protocol_version = "HTTP/1.1"  # one connection for many calls


class Server(PooledJSONRPCServer):
    def _dispatch(self, method, params, config=None):
        print(method, file=account, flush=True)
        return super()._dispatch(method, params, config)


def div(a, b):
    return a / b


account = open(sys.argv[2], "w")
server = Server(("127.0.0.1", int(sys.argv[1])), requestHandler=Handler, logRequests=False)
server.register_function(lambda *a: sum(a), "math.add")
server.register_function(div, "math.div")
server.register_function(lambda text: text, "echo")
server.register_function(lambda **kw: None, "log")
server.serve_forever()
