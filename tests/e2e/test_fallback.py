# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth again on the code of older kernels: single capabilities turned off.

Older kernels do not tell when a call began: the client's start is that call's
end, and marked so. One span inside the other is not asked for then; that they
overlap, in the same order, is.
"""
from collections import Counter

import pytest

import test_truth_http
import test_truth_mysql
import test_truth_postgres
import test_truth_redis
from rig.accounts import carried, overlapping, same, times_are_sane
from rig.servers import MariaDB, Nginx, Postgres, Redis

ALL = "sock-tracepoints,sk-storage,fetch-atomics"


@pytest.fixture(autouse=True, params=["sock-tracepoints", "sk-storage", "fetch-atomics", ALL],
                ids=["no-sock-tracepoints", "no-sk-storage", "no-fetch-atomics", "none"])
def without(request, monkeypatch):
    monkeypatch.setenv("OBI_WITHOUT", request.param)


def test_http(load):
    with Nginx() as nginx:
        run = test_truth_http.carried(nginx, load, 2000, 2)
        log = [r[2:5] for r in nginx.access() if r[0] == nginx.port]
        own = test_truth_http.Load(nginx.dir / "load", 2).keys()
    test_truth_http.clean(run)
    times_are_sane(run.rows)
    servers = run.of("server", "http", local_port=nginx.port)
    clients = run.of("client", "http", comm="http_load")
    same(((r["op"], r["target"], r["status"]) for r in servers), log, "nginx")
    same(((r["op"], r["target"], r["status"]) for r in clients), own, "client")
    assert overlapping(servers, clients) == len(own)


def test_postgresql(load, folder):
    with Postgres() as pg:
        run = carried(lambda env: test_truth_postgres.traced(
            pg, load / "pg_pipeline", pg.port, 2700, folder / "account", env=env))
        test_truth_postgres.equal(run, 2000, nested=overlapping)


def test_mysql(load, folder):
    with MariaDB() as db:
        run = carried(lambda env: test_truth_mysql.traced(
            db, load / "mysql_load", db.port, 2200, folder / "account", env=env))
    own = list(test_truth_mysql.account(folder / "account"))
    test_truth_mysql.equal_to_the_servers(run, Counter(e for _, e, _ in own if e != "0"), nested=overlapping)


def test_redis(load):
    with Redis() as server:
        test_truth_redis.equal(carried(lambda env: test_truth_redis.traced(
            server, load / "redis_load", server.port, 2200, "mixed", env=env)), 2000, unknown=("NOSUCHCOMMAND",), nested=overlapping)
