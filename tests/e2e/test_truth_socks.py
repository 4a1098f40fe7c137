# SPDX-License-Identifier: GPL-3.0-or-later
"""SOCKS of curl and a load, relayed by Dante to nginx, against what all three wrote down."""
import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import Obi
from rig.proc import end, free_port
from rig.servers import Nginx, Server

N = 100
CONF = """
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}
socks block {{ from: 127.0.0.0/8 to: 127.0.0.0/8 port = {blocked} log: connect error }}
socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 log: connect error }}
"""
CLIENT = """
import http.client, json, socket, struct, subprocess
did = []

def visit(first, request, reply, path):
    s = socket.create_connection(("127.0.0.1", {port}))
    f = s.makefile("rb")
    if first:
        s.sendall(first)
        f.read(2)
    s.sendall(request)
    head = f.read(reply)
    f.close()
    code = head[1]
    if code in (0, 90):
        c = http.client.HTTPConnection("127.0.0.1")
        c.sock = s
        for _ in range(3):
            c.request("GET", path)
            c.getresponse().read()
    s.close()
    did.append([int(not first) and 4 or 5, code, path])

for i in range({n}):
    ip, port = socket.inet_aton("127.0.0.1"), struct.pack(">H", {target})
    visit(b"\\5\\1\\0", b"\\5\\1\\0\\1" + ip + port, 10, f"/v5/{{i}}")
    visit(b"\\5\\2\\0\\1", b"\\5\\1\\0\\3\\x09localhost" + port, 10, f"/name/{{i}}")
    visit(b"", b"\\4\\1" + port + ip + b"me\\0", 8, f"/v4/{{i}}")
    visit(b"\\5\\1\\0", b"\\5\\1\\0\\1" + ip + struct.pack(">H", {blocked}), 10, "")
    visit(b"\\5\\1\\0", b"\\5\\1\\0\\1" + ip + struct.pack(">H", {closed}), 10, "")
    visit(b"", b"\\4\\1" + struct.pack(">H", {closed}) + ip + b"\\0", 8, "")
print(json.dumps(did))
"""


class Dante(Server):
    def __init__(self):
        super().__init__()
        self.blocked = free_port()

    def prepare(self):
        (self.dir / "conf").write_text(CONF.format(port=self.port, blocked=self.blocked))

    def mark(self):
        pass

    def command(self):
        return ["/usr/sbin/danted", "-f", self.dir / "conf"]


def curl(how, server, nginx):
    return subprocess.run(["curl", "-s", "-o", "/dev/null", how, f"127.0.0.1:{server.port}",
                           f"http://127.0.0.1:{nginx.port}/curl"], timeout=60).returncode


@pytest.fixture(scope="module")
def run():
    with Nginx(workers=1) as nginx, Dante() as server:
        closed = free_port()
        code = CLIENT.format(n=N, port=server.port, target=nginx.port, blocked=server.blocked, closed=closed)
        client = subprocess.Popen(["/bin/sh", "-c", 'read -r _; exec "$@"', "gate", sys.executable, "-c", code],
                                  text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            with Obi("--proto", "socks,http", "--comm", "curl", "--comm", "python3", "--comm", "danted") as obi:
                out, _ = client.communicate("\n", timeout=100)
                assert not client.returncode
                curls = [curl(how, server, nginx) for how in ("--socks5", "--socks5-hostname", "--socks4")]
                obi.quiet()
                run = obi.stop(busy=True)
        finally:
            end(client)
        run.did, run.curls, run.client, run.port = json.loads(out), curls, client.pid, server.port
        run.nginx, run.target, run.blocked, run.closed = list(nginx.access()), nginx.port, server.blocked, closed
        run.log = (server.dir / "out.log").read_text()
    yield run


def socks(run, kind):
    port = "peer_port" if kind == "client" else "local_port"
    return [r for r in run.of(kind, "socks") if r[port] == run.port]


def test_every_request_is_one_span_of_either_side(run):
    clean(run)
    times_are_sane(run.rows)
    assert run.curls == [0, 0, 0] and len(run.did) == 6 * N
    want = Counter((str(v), code) for v, code, _ in run.did)
    want.update({("5", 0): 2, ("4", 90): 1})
    for kind in "client", "server":
        same(((r["attrs"]["obi.socks.version"], r["code"]) for r in socks(run, kind)), want, kind)


def test_targets_and_replies_are_those_of_the_servers_log(run):
    refused = len(re.findall(r"remote peer error \(Connection refused\)", run.log))
    blocked = len(re.findall(r"block\(1\): tcp/connect", run.log))
    for kind in "client", "server":
        rows = socks(run, kind)
        assert {r["name"] for r in rows} == {"SOCKS CONNECT"}
        assert len([r for r in rows if r["target"] == f"localhost:{run.target}"]) == N
        no = [r for r in rows if r["target"] == f"127.0.0.1:{run.blocked}"]
        assert len(no) == blocked == N and {r["status"] for r in no} == {"not_allowed"}
        no = [r for r in rows if r["target"] == f"127.0.0.1:{run.closed}"]
        assert len(no) == refused == 2 * N and {r["status"] for r in no} == {"connection_refused", "rejected"}
        assert all(r["error"] for r in no)


def test_what_is_relayed_is_decoded_on_the_same_connection(run):
    account = Counter(target for port, _, _, target, *_ in run.nginx if port == run.target)
    assert account.total() == 9 * N + 3
    for kind in "client", "server":
        conns = {r["conn"] for r in socks(run, kind)}
        same((r["target"] for r in run.of(kind, "http") if r["conn"] in conns), account, kind)
