# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of AWS's interfaces (moto): aws_serve.py PORT ACCOUNT

Writes down method and status of each request, as the server under it has them."""
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections that are used again

    def log_request(self, code="-", size="-"):
        print(self.command, int(code), file=account, flush=True)


account = open(sys.argv[2], "w")
run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True,
           request_handler=Handler)
