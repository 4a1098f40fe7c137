# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/2 and gRPC spans against nginx's log, a gRPC server's account and the clients' own, one for one."""
import contextlib
import json
import os
import subprocess
from collections import Counter

import pytest

from rig.accounts import carried, clean, same, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, Client, end, free_port, listens, wait_for
from rig.servers import Nginx, Server

N = 1200
WAYS = ["from the start", "in the middle"]


def load(name, port, middle, env):
    """A client that waits for a line; its connections are open by then if it joins in the middle."""
    return Client(os.environ["CLIENTS"], ROOT / "tests/load" / name, port, N, int(middle), middle=True, env=env)


def did(client):
    return [tuple(x) for x in json.loads(client.run())]


class Grpc(Server):
    def command(self):
        return [os.environ["CLIENTS"], ROOT / "tests/load/grpc_serve.py", self.port, self.dir / "account"]

    def mark(self):
        self.skip = (self.dir / "account").stat().st_size

    def account(self):
        with open(self.dir / "account") as f:
            f.seek(self.skip)
            return [(m, *map(int, rest)) for m, *rest in map(str.split, f)]


def of(run, pid, kind):
    return [r for r in run.rows if r["pid"] == pid and r["kind"] == kind]


# ---- gRPC ----

def called(middle, env):
    with Grpc() as server, load("grpc_load.py", server.port, middle, env) as client:
        server.mark()
        with Obi(pids=[server.pid, client.pid]) as obi:
            seen = did(client)
            run = obi.stop()
        run.middle, run.seen, run.account = middle, seen, server.account()
        run.sides = [(of(run, server.pid, "server"), run.account), (of(run, client.pid, "client"), seen)]
    return run


@pytest.fixture(scope="module", params=WAYS)
def calls(request):
    return carried(lambda env: called(request.param == WAYS[1], env))


def test_every_call_is_a_span(calls):
    clean(calls)
    assert len(calls.seen) == N + 1 and len(calls.account) == N + 1
    assert not calls.summary["requests"]["open"] and not calls.summary["requests"]["broken"]
    for spans, account in calls.sides:
        assert len(spans) == len(account)
        times_are_sane(spans)


def test_methods_and_statuses_equal_both_accounts(calls):
    for spans, account in calls.sides:
        if not calls.middle:
            same(((f'/{r["op"]}', r["code"]) for r in spans), (a[:2] for a in account), "calls")
            assert {r["proto"] for r in spans} == {"grpc"}


def test_messages_each_way_equal_both_accounts(calls):
    def said(r):
        a = r["attrs"]
        return f'/{r["op"]}', a["obi.rpc.request.messages"], a["obi.rpc.response.messages"]
    for spans, account in calls.sides:
        if not calls.middle:
            same((said(r) for r in spans if r["code"] == 0), ((a[0], *a[2:]) for a in account if a[1] == 0), "messages")


def test_what_is_known_of_old_connections_is_right(calls):
    if not calls.middle:
        return
    for spans, account in calls.sides:
        new = [a[0] for a in account if a[0].endswith(("/New", "/Slow"))]
        named = [f'/{r["op"]}' for r in spans if r["proto"] == "grpc" and r["op"]]
        named += [r["target"] for r in spans if r["proto"] == "http2" and r["target"]]
        # what had been called before stands in the table for good
        assert not Counter(named) - Counter(a[0] for a in account)
        same((m for m in named if m.endswith(("/New", "/Slow"))), new, "methods called first after the start")
        known = Counter((f'/{r["op"]}', r["code"]) for r in spans if r["proto"] == "grpc" and r["op"] and r["status"])
        assert not known - Counter(a[:2] for a in account)
        assert sum(r["proto"] == "grpc" for r in spans) >= len(spans) * 9 / 10
        assert all(r["error"] is None for r in spans if r["status"] is None)


def test_attributes_follow_the_conventions(calls):
    if calls.middle:
        return
    for spans, _ in calls.sides:
        for r in spans:
            a = r["attrs"]
            assert r["name"] == a["rpc.method"] == r["op"] and a["rpc.system.name"] == "grpc"
            assert (a["rpc.response.status_code"] == "OK") == (r["status"] == "0")
            assert r["error_type"] == (a["rpc.response.status_code"] if r["error"] else None)
    (servers, _), (clients, _) = calls.sides
    assert all(r["error"] == (r["code"] != 0) for r in clients)
    assert all(r["error"] == (r["code"] in (2, 4, 12, 13, 14, 15)) for r in servers)
    slow = [r for r in calls.rows if r["op"] == "test.Unary/Slow"]
    assert len(slow) == 2 and all(100 <= r["ttfb_ms"] <= r["dur_ms"] < 1000 for r in slow)
    linked = Counter(r["trace_id"] for r in calls.rows if r["parent_by"] == "traceparent")
    assert len(linked) >= N / 2 - 100 and set(linked.values()) == {2}
    told = [r["attrs"]["error.message"] for r in servers if r["attrs"].get("error.message", "").startswith("as asked: 5")]
    assert told and set(told) == {"as asked: 5 ä"}


def test_bytes_are_the_same_on_both_sides(calls):
    (servers, _), (clients, _) = calls.sides

    def total(rows, key):
        return sum(r[key] or 0 for r in rows)
    # a call of what is not there is answered by its head; the frame with its one message (9 + 5 + 1) may come later
    late = {15 * n for n in range(1 + sum(s[0] == "/test.Unary/Missing" for s in calls.seen))}
    assert total(clients, "req_bytes") - total(servers, "req_bytes") in late
    assert total(clients, "resp_bytes") == total(servers, "resp_bytes")


# ---- HTTP/2 ----

def requested(middle, env):
    with Nginx(listen="http2") as nginx, load("http2_load.py", nginx.port, middle, env) as client:
        nginx.mark()
        with Obi("--show-secrets", pids=[*nginx.pids, client.pid]) as obi:
            seen = did(client)
            run = obi.stop()
        run.seen, run.middle = seen, middle
        run.log = [r for r in nginx.access() if r[0] == nginx.port]
        run.servers, run.clients = run.of("server", "http2"), of(run, client.pid, "client")
    return run


@pytest.fixture(scope="module", params=WAYS)
def requests(request):
    return carried(lambda env: requested(request.param == WAYS[1], env))


def test_spans_equal_nginxs_log_and_the_clients_account(requests):
    clean(requests)
    assert len(requests.seen) == N
    methods = {t: m for m, t, _ in requests.seen}
    for rows in requests.servers, requests.clients:
        # HEAD, say, stands in the table since before the start: unknown, not wrong
        unknown = [r for r in rows if r["op"] is None]
        assert len(unknown) < (N / 10 if requests.middle else 1)
        same(((r["op"] or methods[r["target"]], r["target"], r["status"]) for r in rows), requests.seen, "requests")
        times_are_sane(rows)
    same((r[2:5] for r in requests.log), requests.seen, "nginx's log")


def test_bytes_equal_on_both_sides(requests):
    servers = {r["target"]: r for r in requests.servers}
    for r in requests.clients:
        s = servers[r["target"]]
        assert r["resp_bytes"] == s["resp_bytes"] and r["req_bytes"] == s["req_bytes"], (r, s)
    sent = {r[3]: r[5] for r in requests.log}
    assert all(0 <= r["resp_bytes"] - sent[r["target"]] <= 9 for r in requests.servers)


def test_context_and_attributes(requests):
    linked = [r for r in requests.clients if r["parent_by"] == "traceparent"]
    assert len(linked) == (N + 2) // 3
    for r in linked:
        i = int(r["target"].split("i=")[1].split("&")[0])
        assert r["trace_id"] == f"{i + 1:032x}" and i % 3 == 0
        assert requests.middle or "guessed-parent" not in r["flags"]
    for r in requests.servers:
        assert r["attrs"].get("http.request.method") == r["op"] and r["attrs"]["network.protocol.version"] == "2"
        assert r["error"] == (r["status"] >= "500") and r["attrs"]["http.response.status_code"] == r["code"]


@contextlib.contextmanager
def nghttpx(back):
    port = free_port()
    p = subprocess.Popen(["/usr/sbin/nghttpx", f"-f127.0.0.1,{port};no-tls", f"-b127.0.0.1,{back};;proto=h2", "-n1",
                          "--no-ocsp", "-LERROR"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("nghttpx to listen", lambda: listens(port))
        yield p, port
    finally:
        end(p)


def test_many_streams_at_once_and_other_clients():
    """h2load with 100 streams a connection, nghttp, curl, and HTTP/1.1 that goes on as h2c."""
    with Nginx(listen="http2") as nginx, nghttpx(nginx.port) as (proxy, port), \
         Obi("--proto", "http2", pids=[*nginx.pids, proxy.pid]) as obi:
        url = f"http://127.0.0.1:{nginx.port}"
        for argv in (["h2load", "-n5000", "-c5", "-m100", url + "/small", url + "/one", url + "/missing"],
                     ["nghttp", "-n", "-m7", url + "/big", url + "/one"],
                     ["curl", "-s", "-o/dev/null", "--http2-prior-knowledge", url + "/small?curl"],
                     ["curl", "-s", "-o/dev/null", "--http2", f"http://127.0.0.1:{port}/small?upgraded"]):
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, timeout=60)
        run = obi.stop()
        log = [r[2:5] for r in nginx.access() if r[0] == nginx.port]
    clean(run)
    assert len(log) > 5000
    same(((r["op"], r["target"], r["status"]) for r in run.of("server", local_port=nginx.port)), log, "nginx")
    upgraded = run.of("server", local_port=port)
    assert [(r["op"], r["target"], r["status"]) for r in upgraded] == [("GET", "/small?upgraded", "200")]
