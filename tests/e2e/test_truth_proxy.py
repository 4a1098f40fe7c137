# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP behind HAProxy's PROXY protocol, versions 1 and 2, against what nginx made of it."""
import json
import subprocess
import sys
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import Obi
from rig.proc import end, free_port
from rig.servers import Nginx, Server

N = 100
LOG = "log_format proxied '$proxy_protocol_addr:$proxy_protocol_port $request_uri';"
HAPROXY = """
defaults
  mode tcp
  timeout connect 100s
  timeout client 100s
  timeout server 100s
listen v1
  bind 127.0.0.1:{ports[0]}
  server s 127.0.0.1:{back} send-proxy
listen v2
  bind 127.0.0.1:{ports[1]}
  server s 127.0.0.1:{back} send-proxy-v2 proxy-v2-options unique-id
  unique-id-format id-%[src_port]
"""
CLIENT = """
import http.client, json
did = []
for i in range({n}):
    for port in {ports}:
        c = http.client.HTTPConnection("127.0.0.1", port)
        c.connect()
        own = c.sock.getsockname()[1]
        for path in "/small", "/none", "/missing":
            c.request("GET", path, headers={{"X-Forwarded-For": "203.0.113.9"}})
            c.getresponse().read()
            did.append([port, own, path])
        c.close()
print(json.dumps(did))
"""


class Behind(Nginx):
    def __init__(self):
        super().__init__(workers=1, listen="proxy_protocol", upstreams=LOG)
        self.extra = f"access_log {self.dir}/proxied.log proxied;"

    def account(self):
        return (self.dir / "proxied.log").read_text().splitlines()


class Haproxy(Server):
    def __init__(self, back):
        super().__init__()
        self.back, self.ports = back, [self.port, free_port()]

    def prepare(self):
        (self.dir / "conf").write_text(HAPROXY.format(ports=self.ports, back=self.back))

    def mark(self):
        pass

    def command(self):
        return ["/usr/sbin/haproxy", "-db", "-f", self.dir / "conf"]


@pytest.fixture(scope="module")
def run():
    with Behind() as nginx, Haproxy(nginx.port) as haproxy:
        code = CLIENT.format(n=N, ports=haproxy.ports)
        client = subprocess.Popen(["/bin/sh", "-c", 'read -r _; exec "$@"', "gate", sys.executable, "-c", code],
                                  text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        (nginx.dir / "proxied.log").write_text("")
        try:
            with Obi("--proto", "http", pids=[*nginx.pids, *haproxy.pids]) as obi:
                out, _ = client.communicate("\n", timeout=100)
                assert not client.returncode
                run = obi.stop()
        finally:
            end(client)
        run.did, run.ports, run.account = json.loads(out), haproxy.ports, nginx.account()
        run.behind = run.of("server", local_port=nginx.port)
        run.sent = run.of("client", peer_port=nginx.port)
        run.before = [r for r in run.of("server") if r["local_port"] in haproxy.ports]
    yield run


def told(row):
    a = row["attrs"]
    return f'{a["client.address"]}:{a["client.port"]} {row["target"]}'


def test_each_request_says_whom_the_proxy_serves(run):
    clean(run)
    times_are_sane(run.rows)
    assert len(run.did) == 6 * N
    for rows in run.behind, run.sent:
        same(map(told, rows), run.account, "nginx")
        same(map(told, rows), Counter(f"127.0.0.1:{own} {path}" for _, own, path in run.did), "the client")


def test_the_header_names_whom_the_client_addressed(run):
    for rows in run.behind, run.sent:
        same((r["attrs"]["obi.proxy.destination"] for r in rows),
             Counter(f"127.0.0.1:{port}" for port, _, _ in run.did), "destinations")
        ids = [r for r in rows if "obi.proxy.unique_id" in r["attrs"]]
        assert len(ids) == 3 * N
        assert all(r["attrs"]["obi.proxy.unique_id"] == f'id-{r["attrs"]["client.port"]}' for r in ids)


def test_what_came_without_it_says_nothing_of_it(run):
    assert len(run.before) == 6 * N
    assert not any("client.port" in r["attrs"] for r in run.before)
    assert {r["attrs"]["client.address"] for r in run.before} == {"203.0.113.9"}
