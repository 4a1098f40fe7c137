# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS spans of server and clients against the log of unbound, one for one."""
import json
import re
import socket
from collections import Counter

import pytest

from rig.accounts import clean, same
from rig.obi import Obi
from rig.proc import ROOT, Client, wait_for
from rig.servers import Server

N = 500
RESOLVER = "127.9.53.53"  # getaddrinfo knows port 53 only

CONF = """
server:
    interface: 127.0.0.1@{port}
    interface: {resolver}@53
    access-control: 127.0.0.0/8 allow
    username: ""
    chroot: ""
    directory: "{dir}"
    pidfile: "{dir}/pid"
    logfile: "{dir}/log"
    use-syslog: no
    do-daemonize: no
    log-queries: no
    log-replies: yes
    log-tag-queryreply: yes
    module-config: "iterator"
    rrset-roundrobin: no
    minimal-responses: yes
    local-zone: "obi.test." static
    local-data: "obi.test. SOA ns.obi.test. admin.obi.test. 1 2 3 4 5"
    local-data: 'big.obi.test. TXT {text}'
{names}
remote-control:
    control-enable: no
"""


class Unbound(Server):
    def prepare(self):
        rest = ("60 A 192.0.2.{i}", "60 AAAA 2001:db8::{i}", "60 MX 10 mx.obi.test.", '60 TXT "text {i}"',
                "60 SRV 1 2 80 n{i}.obi.test.", "60 PTR n{i}.obi.test.", "60 NS ns.obi.test.",
                '60 CAA 0 issue "ca.test"')
        names = "\n".join(f"    local-data: 'n{i}.obi.test. {r.format(i=i)}'" for i in range(20) for r in rest)
        text = " ".join('"%s"' % (chr(97 + i) * 250) for i in range(10))
        (self.dir / "conf").write_text(CONF.format(port=self.port, dir=self.dir, resolver=RESOLVER,
                                                   names=names, text=text))
        (self.dir / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:20\n")

    def command(self):
        return ["/usr/sbin/unbound", "-d", "-c", self.dir / "conf"]

    def mark(self):
        pass

    def told(self):
        """name, type and code of each answer in its log."""
        log = self.dir / "log"
        found = re.findall(r" reply: \S+ (\S+) (\S+) IN (\S+) ", log.read_text() if log.exists() else "")
        return [" ".join(f) for f in found]


def told(rows):
    return [f'{r["target"]}. {r["op"]} {r["status"]}' for r in rows]


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request):
    middle = request.param == "in the middle"
    with Unbound() as server:
        load = ["/usr/bin/python3", ROOT / "tests/load/dns_load.py", server.port, N, int(middle)]
        inside = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"',
                  server.dir / "resolv.conf"]
        with Client(*load, middle=middle, inside=inside) as client:
            before = len(server.told())
            with Obi("--show-secrets", "--proto", "dns", pids=[server.pid, client.pid]) as obi:
                did = Counter(json.loads(client.run()))
                wait_for("unbound's log", lambda: len(server.told()) - before >= did.total())
                run = obi.stop()
        run.did, run.log = did, server.told()[before:]
        run.clients, run.servers = run.of("client"), run.of("server")
        yield run


def test_both_sides_equal_the_servers_log(run):
    clean(run)
    assert run.did.total() >= 800
    same(run.did.elements(), run.log, "the client's own account")
    same(told(run.servers), run.log, "unbound's log, server")
    same(told(run.clients), run.log, "unbound's log, clients")


def test_answers_times_and_places(run):
    for r in run.clients + run.servers:
        assert r["dur_ms"] is not None and r["dur_ms"] >= 0, r
        assert r["name"] == "DNS " + r["op"] and r["attrs"]["dns.question.name"] == r["target"], r
        assert r["peer_ip"].startswith("127."), r
    for r in run.clients:
        assert r["error"] == (r["status"] != "NOERROR") and r["error_type"] == (r["status"] if r["error"] else None)
        if r["op"] == "A" and r["status"] == "NOERROR":
            assert r["attrs"]["dns.answers"] == ["192.0.2." + re.match(r"n(\d+)", r["target"])[1]], r
    assert {r["attrs"]["network.transport"] for r in run.clients} == {"udp", "tcp"}
    assert not any(r["error"] for r in run.servers if r["status"] == "NXDOMAIN")


def test_a_long_answer_is_asked_for_again_over_tcp(run):
    rows = [r for r in run.clients if r["target"] == "big.obi.test"]
    cut = [r for r in rows if "tc" in r["attrs"]["obi.dns.flags"].split()]
    assert len(rows) == 20 and len(cut) == 10
    assert {r["attrs"]["network.transport"] for r in cut} == {"udp"}


def test_the_c_library_asks_twice_on_one_socket(run):
    conns = Counter(r["conn"] for r in run.clients if r["peer_ip"] == RESOLVER)
    assert len(conns) == N // 10 and set(conns.values()) == {2}


def test_dig_and_a_server_that_never_answers(folder):
    with Unbound() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        names = folder / "names"
        names.write_text("".join(f"n{i % 20}.obi.test {t}\n" for i in range(50) for t in ("A", "AAAA")))
        dig = f"dig @127.0.0.1 -p {server.port} -f {names} >/dev/null; " \
              f"dig @127.0.0.1 -p {silent.getsockname()[1]} +time=1 +tries=2 never.obi.test >/dev/null"
        with Client("/bin/sh", "-c", f"{dig}; :") as client, \
                Obi("--proto", "dns", pids=[server.pid, client.pid]) as obi:
            client.run()
            run = obi.stop()
        log = server.told()
    clean(run)
    never = [r for r in run.rows if r["target"] == "never.obi.test"]
    rest = [r for r in run.rows if r["target"] != "never.obi.test"]
    assert len(log) == 100
    same(told(r for r in rest if r["kind"] == "server"), log, "server")
    same(told(r for r in rest if r["kind"] == "client"), log, "dig")
    assert never and all(r["error_type"] == "timeout" and r["status"] is None for r in never), never
    assert all(r["dur_ms"] >= 900 for r in never), never
