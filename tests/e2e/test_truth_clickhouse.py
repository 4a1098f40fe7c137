# SPDX-License-Identifier: GPL-3.0-or-later
"""ClickHouse spans of client and server against what the driver did and what ClickHouse logged."""
import json
import os
import subprocess
from collections import Counter

import pytest

from rig.accounts import same, times_are_sane
from rig.clickhouse import ClickHouse
from rig.obi import Obi
from rig.proc import ROOT, Gate, end

N = 640
KINDS = [("0", False), ("0", True), ("lz4", True), ("zstd", False)]


@pytest.fixture(scope="module")
def server():
    with ClickHouse() as server:
        yield server


@pytest.fixture(scope="module", params=KINDS, ids=lambda p: f"{p[0]}, {'in the middle' if p[1] else 'from the start'}")
def run(request, server):
    method, middle = request.param
    name = f"load-{method}-{int(middle)}"
    argv = [os.environ["CLIENTS"], ROOT / "tests/load/clickhouse_load.py", server.port, N, int(middle), name, method]
    gate = ["/bin/sh", "-c", 'read -r _; exec "$@"', "gate"]
    client = subprocess.Popen([str(a) for a in ([] if middle else gate) + argv], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if middle:
            assert client.stdout.readline() == "ready\n"
        with Obi("--show-secrets", "--proto", "clickhouse", pids=[server.pid, client.pid]) as obi:
            out, _ = client.communicate("\n", timeout=300)
            assert not client.returncode
            run = obi.stop(busy=True)
    finally:
        end(client)
    run.middle, run.method, run.told = middle, method, json.loads(out)
    run.log = [q for q in server.log(f"ClickHouse {name}") if "'before'" not in q["query"]]
    run.clients = run.of("client", pid=client.pid)
    run.servers = run.of("server", pid=server.pid)
    assert len(run.log) > 1000
    yield run


def queries(rows):
    return [r for r in rows if r["op"] not in ("HELLO", "PING") and "'before'" not in r["target"]]


def test_both_sides_equal_the_servers_log(run):
    assert run.status == 0 and run.lost() == 0, run.err
    for rows in run.clients, run.servers:
        same(((r["target"], r["error"]) for r in queries(rows)),
             ((q["query"], q["end"] != "done") for q in run.log), "system.query_log")


def words(rows):
    for r in queries(rows):
        if r["error"]:
            yield r["status"]
        elif r["target"].endswith("WITH TOTALS") or "'x'" in r["target"]:
            yield "WITH TOTALS" if r["target"].endswith("WITH TOTALS") else "iter"
        else:
            yield r["name"]


def test_both_sides_equal_the_drivers_account(run):
    for rows in run.clients, run.servers:
        same(words(rows), {k: n for k, n in run.told["did"].items() if k != "PING"}, "clickhouse_load's account")
        # the driver pings before each query but the first on a connection; after an error it takes a new one
        ops = Counter(r["op"] for r in rows)
        assert ops["HELLO"] == N // 10 + (not run.middle)
        assert ops["HELLO"] + ops["PING"] == run.told["did"]["PING"] + len(run.log) + (not run.middle)


def test_rows_are_those_that_the_client_got_and_sent(run):
    for rows in run.clients, run.servers:
        got = Counter()
        for word, r in zip(words(rows), queries(rows)):
            if not r["error"] and r["op"] in ("SELECT", "INSERT") and word not in ("iter", "WITH TOTALS"):
                if run.method == "zstd" and r["op"] == "INSERT":
                    assert "db.response.returned_rows" not in r["attrs"], r
                else:
                    got[word] += r["attrs"]["db.response.returned_rows"]
        want = {k: n for k, n in run.told["rows"].items()
                if k.split()[0] in ("SELECT", "INSERT") and not (run.method == "zstd" and k.startswith("INSERT"))}
        same(got, want, "rows")


def test_rows_read_are_those_of_the_servers_log(run):
    want = sum(q["read"] for q in run.log if q["end"] == "done" and q["query"].startswith("SELECT"))
    for rows in run.clients, run.servers:
        read = sum(r["attrs"].get("obi.clickhouse.read_rows", 0) for r in queries(rows) if r["op"] == "SELECT")
        assert read == want


def test_times_names_and_compression(run):
    times_are_sane([r for r in (*run.clients, *run.servers) if "gap" not in r["flags"]])
    for r in queries((*run.clients, *run.servers)):
        a = r["attrs"]
        assert a["db.system.name"] == "clickhouse" and r["name"]
        # the server answers with LZ4 whatever it is sent
        assert a.get("obi.compressed") in {"0": {None}, "lz4": {"lz4"}, "zstd": {"lz4", "zstd"}}[run.method], r
        assert "obi.clickhouse.unread" not in a


def test_errors_have_their_code(run):
    for rows in run.clients, run.servers:
        bad = [r for r in rows if r["error"]]
        assert len(bad) == N // 10
        for r in bad:
            assert r["error_type"] == r["status"] == "47"
            assert r["attrs"]["db.response.status_code"] == "47"
            assert "Unknown identifier" in r["attrs"]["error.message"]


def test_the_client_of_clickhouse_itself(server):
    """Written in C++, with another library than the driver: totals, extremes, its log, a type that is not read."""
    text = """CREATE TABLE a (id UInt32, u AggregateFunction(uniq, UInt32)) ENGINE = Memory;
        INSERT INTO a SELECT number % 10 AS id, uniqState(toUInt32(number)) FROM (SELECT number FROM system.numbers
        LIMIT 1000) GROUP BY id;
        SELECT id, u, toString(id) FROM a;
        SELECT id % 2 AS k, count() FROM a GROUP BY k WITH TOTALS SETTINGS extremes = 1;
        SELECT toLowCardinality(toString(number % 3)), arrayMap(x -> toLowCardinality(toString(x)), range(number))
        FROM (SELECT number FROM system.numbers LIMIT 50);
        DROP TABLE a"""
    argv = ["clickhouse-client", "--host", "127.0.0.1", "--port", server.port, "--multiquery",
            "--compression", "0", "--send_logs_level", "debug", "--query", text]
    with Gate(*argv) as gate, Obi("--proto", "clickhouse", pids=[server.pid, gate.pid]) as obi:
        gate.run()
        run = obi.stop(busy=True)
    assert run.status == 0 and run.lost() == 0, run.err
    for rows in run.of("client", pid=gate.pid), run.of("server", pid=server.pid):
        rows = [r for r in rows if r["op"] not in ("HELLO", "PING")]
        assert [r["op"] for r in rows] == ["CREATE", "INSERT", "SELECT", "SELECT", "SELECT", "DROP"], rows
        unread, totals, small = rows[2:5]
        assert unread["attrs"]["obi.clickhouse.unread"] == "AggregateFunction"
        assert [r["attrs"]["db.response.returned_rows"] for r in (totals, small)] == [2, 50]
        assert "uniqState" in rows[1]["query"] and "1000" not in rows[1]["query"]
