# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes TLS connections of every kind, one after the other: tls_load.py PORT N

Waits for a line. Each connection asks HTTP for one page. Prints, as JSON, for each: its port, the name it
asked for, version, cipher suite, whether a session was taken up again, what ALPN chose."""
import json
import socket
import ssl
import sys

PORT, N = map(int, sys.argv[1:3])
ports = set()
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(version, alpn):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.minimum_version = c.maximum_version = VERSIONS[version]
    if alpn:
        c.set_alpn_protocols(["x-obi", "http/1.1"])
    return c


def connected():
    """From a port that none of the others had: the accounts tell them apart by it."""
    while True:
        raw = socket.socket()
        raw.bind(("127.0.0.1", 0))
        port = raw.getsockname()[1]
        if port not in ports:
            break
        raw.close()
    ports.add(port)
    raw.connect(("127.0.0.1", PORT))
    return raw, port


def visit(c, name, session):
    raw, port = connected()
    with raw:
        with c.wrap_socket(raw, server_hostname=name, session=session) as s:
            s.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while s.recv(65536):
                pass
            return s.session, {"port": port, "name": name, "version": s.version().removeprefix("TLSv"),
                               "cipher": s.cipher()[0], "resumed": s.session_reused,
                               "alpn": s.selected_alpn_protocol()}


def main():
    contexts = [(context(v, alpn), alpn) for v in VERSIONS for alpn in (False, True)]
    sessions = [None] * len(contexts)
    sys.stdin.readline()
    out = []
    for i in range(N):
        k = i % len(contexts)
        sessions[k], did = visit(contexts[k][0], f"shop{i % 7}.example.org" if i % 5 else None,
                                 sessions[k] if i // len(contexts) % 2 else None)
        out.append({**did, "offers": contexts[k][1]})
    print(json.dumps(out))


main()
