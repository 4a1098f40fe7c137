#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""export - what the exporter does when the server fails, in each way.

usage: export.py COMMAND [IN]

COMMAND IN URL must export IN to URL (tests/otlp/feed's binary); IN makes one
request of spans and one of logs.
"""
import gzip
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    """Answers by `script(path, n)`: n is the number of the request to that path."""
    daemon_threads = True

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.seen = script, []
        self.count = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d" % self.server_address[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        n = server.count[self.path] = server.count.get(self.path, 0) + 1
        server.seen.append((time.time(), self.path, dict(self.headers), body))
        answer = server.script(self.path, n)
        if answer == "close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if answer == "hang":
            time.sleep(3)
            self.close_connection = True
            return
        code, headers, out = answer
        self.send_response(code)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    def log_message(self, *args):
        pass


OK = (200, {"Content-Type": "application/x-protobuf"}, b"")
PB = {"Content-Type": "application/x-protobuf"}
command = sys.argv[1]
source = sys.argv[2] if len(sys.argv) > 2 else "made:64:3"


def export(url, **env):
    env = dict(os.environ, FEED_WAIT_S=env.pop("wait", "0"), **env)
    begin = time.time()
    done = subprocess.run([command, source, url], env=env, capture_output=True, text=True,
                          timeout=120)
    lost = re.search(r"lost (\d+)", done.stderr)
    return done.returncode, int(lost[1]) if lost else None, done.stderr, time.time() - begin


def traces(server):
    return [r for r in server.seen if r[1].endswith("/v1/traces")]


def first_fails(code, headers=None):
    return lambda path, n: (code, headers or {}, b"") if n == 1 else OK


def check(what, ok, *more):
    print("%s %s" % ("ok" if ok else "not ok", what), *([] if ok else more))
    if not ok:
        sys.exit(1)


def takes_all():
    s = Server(lambda path, n: OK)
    code, lost, err, _ = export(s.url, OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20b, x=1")
    h = s.seen[0][2]
    check("both signals arrive", sorted(s.count) == ["/v1/logs", "/v1/traces"] and
          code == 0 and lost == 0, s.count, err)
    check("headers are as asked for", h["api-key"] == "a b" and h["x"] == "1" and
          h["Content-Type"] == "application/x-protobuf" and
          h["User-Agent"].startswith("OTel-OTLP-Exporter-C-obi/"), h)
    s = Server(lambda path, n: OK)
    export(s.url, OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    check("gzip is gzip", s.seen[0][2]["Content-Encoding"] == "gzip" and
          gzip.decompress(s.seen[0][3])[0] == 0x0a)
    s = Server(lambda path, n: OK)
    export("env:", OTEL_EXPORTER_OTLP_ENDPOINT=s.url + "/base/",
           OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=s.url + "/own?k=v")
    check("endpoints come from the environment",
          sorted(s.count) == ["/base/v1/traces", "/own?k=v"], s.count)


def retries():
    for code in (429, 502, 503, 504):
        s = Server(first_fails(code))
        rc, lost, err, _ = export(s.url, wait="3")
        check("%d is tried again" % code, s.count["/v1/traces"] == 2 and lost == 0 and rc == 0,
              s.count, err)
    s = Server(first_fails(503, {"Retry-After": "2"}))
    export(s.url, wait="4")
    t = traces(s)
    check("Retry-After is honoured", 1.9 < t[1][0] - t[0][0] < 3, t[1][0] - t[0][0])
    at = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
    s = Server(first_fails(429, {"Retry-After": at}))
    export(s.url, wait="6")
    t = traces(s)
    check("Retry-After may be a date", 1 < t[1][0] - t[0][0] < 4.5, t[1][0] - t[0][0])
    s = Server(lambda path, n: "close" if n == 1 else OK)
    rc, lost, err, _ = export(s.url, wait="3")
    check("a connection that breaks is tried again", s.count["/v1/traces"] == 2 and lost == 0,
          s.count, err)
    s = Server(lambda path, n: "hang" if n == 1 else OK)
    rc, lost, err, _ = export(s.url, wait="6", OTEL_EXPORTER_OTLP_TIMEOUT="500")
    check("a server that hangs is tried again", s.count["/v1/traces"] >= 2 and lost == 0,
          s.count, err)
    s = Server(lambda path, n: (503, {"Retry-After": "0"}, b""))
    rc, lost, err, _ = export(s.url, wait="2")
    check("five tries, then it is dropped and counted",
          s.count == {"/v1/traces": 5, "/v1/logs": 5} and lost == 64, s.count, err)


def drops():
    for code in (400, 401, 404, 413, 500):
        s = Server(lambda path, n: (code, PB, b"\x12\x07because"))
        rc, lost, err, _ = export(s.url, wait="1")
        check("%d is dropped, counted and told" % code, s.count["/v1/traces"] == 1 and
              lost == 64 and "HTTP %d: because" % code in err, s.count, err)
    partial = b"\x0a\x08\x08\x03\x12\x04full"
    s = Server(lambda path, n: (200, PB, partial if "traces" in path else b""))
    rc, lost, err, _ = export(s.url, wait="1")
    check("partial success is counted, never tried again", s.count["/v1/traces"] == 1 and
          lost == 3 and "full" in err, s.count, err)
    s = Server(lambda path, n: (200, {"Content-Type": "application/json"},
                                b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}'
                                if "traces" in path else b"{}"))
    rc, lost, err, _ = export(s.url, wait="1", OTEL_EXPORTER_OTLP_PROTOCOL="http/json")
    check("in JSON too", lost == 2 and s.seen[0][2]["Content-Type"] == "application/json", err)
    port = socket.socket()
    port.bind(("127.0.0.1", 0))
    rc, lost, err, took = export("http://127.0.0.1:%d" % port.getsockname()[1])
    check("a server that is not there: an end, and a count", took < 15 and rc == 1 and
          "64 rows did not get there" in err, took, err)


def messages():
    for url, env, want in (
            ("https://localhost:4318", {}, "speaks no TLS"),
            ("http:///x", {}, "no URL"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "use port 4318"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "gzip, none"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "milliseconds"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_HEADERS": "x=%0d%0ay"}, "HEADERS")):
        rc, lost, err, _ = export(url, **env)
        check("said clearly: " + want, rc == 1 and want in err, err)


takes_all()
messages()
drops()
retries()
print("ok")
