# SPDX-License-Identifier: GPL-3.0-or-later
"""FastCGI, uwsgi and SCGI spans of nginx and of php-fpm and uWSGI against their access logs, one for one."""
import http.client
from collections import Counter

import pytest

from rig.accounts import clean, inside, same, times_are_sane
from rig.cgi import PhpFpm, Scgi, Site, Uwsgi
from rig.obi import Obi

OPERATIONS = 1000


def ask(port, n):
    """n requests over one connection; what was asked for and answered."""
    conn, asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30), []
    for i in range(n):
        method = ("GET", "POST", "HEAD", "PUT")[i % 4]
        target = f"/app/{i}?" + ("status=503", "status=404&complain=1", "bytes=200000", "a=b")[i // 4 % 4]
        conn.request(method, target, b"x" * (i * 97 % 70000) if method in ("POST", "PUT") else None,
                     {"traceparent": f"00-{i + 1:032x}-{i + 1:016x}-01"})
        answer = conn.getresponse()
        answer.read()
        asked.append((method, target, str(answer.status)))
    return asked


@pytest.fixture(scope="module", params=[(PhpFpm, 0), (PhpFpm, 40), (Uwsgi, 0), (Scgi, 0)],
                ids=["fastcgi, from the start", "fastcgi, in the middle", "uwsgi", "scgi"])
def run(request):
    kind, before = request.param
    with kind() as app, Site(app) as nginx:
        ask(nginx.port, before)
        with Obi("--show-secrets", "--proto", kind.proto, pids=[*nginx.pids, *app.pids]) as obi:
            asked = ask(nginx.port, OPERATIONS)
            run = obi.stop()
        run.asked = asked
        run.servers = run.of("server", kind.proto, local_port=app.port)
        run.clients = run.of("client", kind.proto, peer_port=app.port)
        run.log = list(app.access())[before:]
        yield run


def test_both_sides_equal_the_log_of_the_application(run):
    clean(run)
    assert Counter(run.log) == Counter(run.asked)
    for rows in run.servers, run.clients:
        same(((r["op"], r["target"], r["status"]) for r in rows), run.asked, "application")


def test_times_and_context_are_right(run):
    times_are_sane(run.servers + run.clients)
    assert inside(run.servers, run.clients) == OPERATIONS
    for rows in run.servers, run.clients:
        want = {t: f"{i + 1:032x}" for i, (_, t, _) in enumerate(run.asked)}
        assert all(r["trace_id"] == want[r["target"]] and r["parent_by"] == "traceparent" for r in rows)


def test_errors_are_those_of_each_side(run):
    assert {r["status"] for r in run.servers if r["error"]} == {"503"}
    assert {r["status"] for r in run.clients if r["error"]} == {"503", "404"}
    big = [r for r in run.clients if "bytes=" in r["target"] and r["op"] != "HEAD"]
    assert big and all(r["resp_bytes"] > 200000 for r in big)
