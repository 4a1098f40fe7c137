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
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time


class Server(http.server.ThreadingHTTPServer):
    """Answers by `script(path, n)`: n is the number of the request to that path."""
    daemon_threads = True

    def __init__(self, script, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.seen = script, []
        self.count = {}
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.port = self.server_address[1]
        self.url = "http%s://127.0.0.1:%d" % ("s" if tls else "", self.port)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ssl.SSLError, ConnectionError)):
            super().handle_error(request, client_address)


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
            ("http:///x", {}, "no URL"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "use port 4318"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "gzip, none"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "milliseconds"),
            ("http://localhost", {"OTEL_EXPORTER_OTLP_HEADERS": "x=%0d%0ay"}, "HEADERS")):
        rc, lost, err, _ = export(url, **env)
        check("said clearly: " + want, rc == 1 and want in err, err)


class Certificates:
    """A CA, and what it has signed: for the server (localhost, 127.0.0.1), another name, a client."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("req -x509 -new -subj /CN=ca -days 2 -keyout ca.key -out ca.pem", key=True)
        for name, alt in (("server", "DNS:localhost,IP:127.0.0.1"), ("other", "DNS:elsewhere.test"),
                          ("client", "DNS:client")):
            with open(self[name + ".ext"], "w") as f:
                f.write("subjectAltName=%s\n" % alt)
            self.openssl("req -new -subj /CN=%s -keyout %s.key -out %s.csr" % ((name,) * 3),
                         key=True)
            self.openssl("x509 -req -in %s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
                         "-extfile %s.ext -out %s.pem" % ((name,) * 3))

    def __getitem__(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, line, key=False):
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] if key else []
        subprocess.run(["openssl", *line.split(), *new], cwd=self.folder, check=True,
                       capture_output=True)

    def context(self, name="server", ask_client=False):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(self[name + ".pem"], self[name + ".key"])
        if ask_client:
            c.verify_mode = ssl.CERT_REQUIRED
            c.load_verify_locations(self["ca.pem"])
        return c


def https_works(certs):
    ca = {"OTEL_EXPORTER_OTLP_CERTIFICATE": certs["ca.pem"]}
    s = Server(lambda path, n: OK, certs.context())
    for host in "127.0.0.1", "localhost":
        s.count.clear()
        rc, lost, err, _ = export("https://%s:%d" % (host, s.port), **ca)
        check("https to %s arrives" % host, rc == 0 and lost == 0 and
              sorted(s.count) == ["/v1/logs", "/v1/traces"], s.count, err)
    rc, lost, err, _ = export(s.url, SSL_CERT_FILE=certs["ca.pem"])
    check("the system's own variable counts", rc == 0 and lost == 0, err)
    s = Server(lambda path, n: "close" if n == 1 else OK, certs.context())
    rc, lost, err, _ = export(s.url, wait="3", **ca)
    check("a TLS connection that breaks is made anew", s.count["/v1/traces"] == 2 and lost == 0,
          s.count, err)
    s = Server(lambda path, n: (200, {"Connection": "close"}, b""), certs.context())
    with_many = subprocess.run([command, "made:2000:3", s.url], env=dict(os.environ, **ca),
                               capture_output=True, text=True, timeout=120)
    check("a server that closes each time gets all of it", with_many.returncode == 0 and
          s.count["/v1/traces"] > 3 and "lost 0" in with_many.stderr, s.count, with_many.stderr)


def https_refuses(certs):
    ca = {"OTEL_EXPORTER_OTLP_CERTIFICATE": certs["ca.pem"]}
    s = Server(lambda path, n: OK, certs.context())
    rc, lost, err, _ = export(s.url, wait="1")
    check("a CA that is not trusted: nothing is sent", not s.count and lost == 64 and
          "is not trusted" in err and "OTEL_EXPORTER_OTLP_CERTIFICATE" in err, s.count, err)
    s = Server(lambda path, n: OK, certs.context("other"))
    rc, lost, err, _ = export("https://localhost:%d" % s.port, wait="1", **ca)
    check("a certificate for another name: nothing is sent", not s.count and lost == 64 and
          "for another name" in err, s.count, err)
    s = Server(lambda path, n: OK)
    rc, lost, err, _ = export("https://127.0.0.1:%d" % s.port, wait="1", **ca)
    check("a server without TLS is told", not s.count and lost == 64 and "http:// only" in err, err)
    for env, want in (
            ({"CERTIFICATE": "/nowhere.pem"}, "CERTIFICATE: cannot read /nowhere.pem: No such file"),
            ({"CERTIFICATE": certs["server.ext"]}, "cannot read " + certs["server.ext"]),
            ({"CLIENT_KEY": certs["client.key"]}, "the certificate is not set"),
            ({"CLIENT_CERTIFICATE": certs["client.pem"], "CLIENT_KEY": certs["other.key"]},
             "CLIENT_KEY: cannot read")):
        rc, lost, err, _ = export("https://localhost:1", **{
            "OTEL_EXPORTER_OTLP_" + k: v for k, v in env.items()})
        check("said clearly: " + want, rc == 1 and want in err, err)


def https_clients(certs):
    ca = {"OTEL_EXPORTER_OTLP_CERTIFICATE": certs["ca.pem"]}
    s = Server(lambda path, n: OK, certs.context(ask_client=True))
    rc, lost, err, _ = export(s.url, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=certs["client.pem"],
                              OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY=certs["client.key"],
                              OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY=certs["client.key"], **ca)
    check("a server that asks who we are is told", rc == 0 and lost == 0 and len(s.count) == 2,
          s.count, err)
    rc, lost, err, _ = export(s.url, wait="1", **ca)
    check("one that is not told refuses", rc == 1 or lost == 64, err)


def https():
    folder = tempfile.mkdtemp()
    try:
        certs = Certificates(folder)
        https_works(certs)
        https_refuses(certs)
        https_clients(certs)
    finally:
        shutil.rmtree(folder)


takes_all()
messages()
https()
drops()
retries()
print("ok")
