# SPDX-License-Identifier: GPL-3.0-or-later
"""CQL spans of client and server against what the driver did and what Cassandra counted, in each version."""
import json
import os

import pytest

from rig.accounts import same, times_are_sane
from rig.cassandra import Cassandra
from rig.obi import Obi
from rig.proc import ROOT, Client

N = 300


@pytest.fixture(scope="module")
def server():
    with Cassandra() as server:
        yield server


@pytest.fixture(scope="module", params=[(v, m) for v in (3, 4, 5) for m in ("from the start", "in the middle")],
                ids=lambda p: f"version {p[0]}, {p[1]}")
def run(request, server):
    version, middle = request.param[0], request.param[1] == "in the middle"
    argv = [os.environ["CLIENTS"], ROOT / "tests/load/cql_load.py", server.port, version, N, int(middle)]
    with Client(*argv, middle=middle) as client, \
            Obi("--proto", "cassandra", pids=[server.pid, client.pid]) as obi:
        out = client.run()
        obi.quiet()
        run = obi.stop(busy=True)
    run.middle, run.version, run.told = middle, version, json.loads(out)
    run.clients = run.of("client", pid=client.pid)
    run.servers = run.of("server", pid=server.pid)
    yield run


def words(rows):
    """Statements on the table as the load counts them; what the driver asks of its own is not on it."""
    for r in rows:
        if r["status"] == "8704":
            yield "8704"
        elif r["op"] == "PREPARE":
            if "INTO songs" in r["target"]:
                yield "PREPARE"
        elif r["op"] == "EXECUTE" or r["target"] == "SELECT name FROM songs WHERE id = ?":
            yield "old"
        elif (r["name"] or "").endswith(" songs"):
            yield r["name"]


def test_both_sides_equal_the_drivers_account(run):
    assert run.status == 0 and run.lost() == 0, run.err
    for rows in run.clients, run.servers:
        same(words(rows), run.told["did"], f"version {run.version}")


def test_executions_equal_the_servers_account(run):
    executed = [w for w in words(run.servers) if w in ("INSERT songs", "old")]
    assert len(executed) == run.told["metrics"]["prepared"] == 2 * N + 1


def test_times_rows_and_texts(run):
    mine = [r for r in (*run.clients, *run.servers) if (r["name"] or "").endswith(" songs")]
    times_are_sane([r for r in mine if "gap" not in r["flags"]])
    for r in mine:
        a = r["attrs"]
        assert a["db.system.name"] == "cassandra"
        if r["op"] == "SELECT" and not r["error"]:
            assert a["db.response.returned_rows"] == 1
        if r["op"] == "BATCH":
            assert a["db.operation.batch.size"] == 2 and r["name"] == "BATCH INSERT songs"
        elif r["op"] not in ("TRUNCATE", "PREPARE"):
            assert a["cassandra.consistency.level"] == "local_one"
        assert not run.middle and a["db.namespace"] == "shop" or run.middle
    assert not any("xxxx" in (r["target"] or "") for r in mine)


def test_errors_have_their_code(run):
    for rows in run.clients, run.servers:
        bad = [r for r in rows if r["status"] == "8704"]
        assert len(bad) == N // 10
        for r in bad:
            assert r["error"] and r["error_type"] == "8704"
            assert r["attrs"]["db.response.status_code"] == "8704"
            assert "Undefined column" in r["attrs"]["error.message"]
