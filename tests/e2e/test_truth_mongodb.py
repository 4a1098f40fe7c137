# SPDX-License-Identifier: GPL-3.0-or-later
"""MongoDB spans of both sides against the server's account and that of pymongo's listener, one for one."""
import json
import os
import subprocess
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import Obi, run as obi_run
from rig.proc import ROOT, Client
from rig.servers import Server

N = 200
OPCODES = {"OP_MSG", "OP_QUERY", "OP_REPLY"}
SHAPE = '{"find":"orders","filter":{"_id":"?","$or":[{"n":{"$gte":"?"}},{"item":"?"}]},"limit":"?","singleBatch":"?"}'
driven = set()


class Mongo(Server):
    def prepare(self):
        home = subprocess.run([ROOT / "tests/setup/mongodb.sh"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
        self.path = f"{home}/classes:{home}/lib/*"

    def command(self):
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", self.path, "MongoServe", self.port,
                self.dir / "account"]

    def mark(self):
        """Counts from here on."""
        self.begin = (self.dir / "account").stat().st_size

    def account(self):
        """(client's port, database, command, whether it wanted an answer) of each OP_MSG since mark()."""
        with open(self.dir / "account") as f:
            f.seek(self.begin)
            for line in f:
                port, db, op, flags = line.split()
                yield int(port), db, op.lower(), not int(flags) & 2


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request):
    middle = request.param == "in the middle"
    with Mongo() as mongo:
        argv = [os.environ["CLIENTS"], ROOT / "tests/load/mongodb_load.py", mongo.port, N, int(middle)]
        with Client(*argv, middle=middle) as client:
            if middle:
                mongo.mark()
            with Obi("--show-secrets", "--proto", "mongodb", pids=[mongo.pid, client.pid]) as obi:
                out = client.run()
                obi.quiet()
                run = obi.stop(busy=True)
        run.account = list(mongo.account())
        run.did = {tuple(k[:-1]): k[-1] for k in json.loads(out)}
        run.middle = middle
        run.clients = [r for r in run.rows if r["pid"] == client.pid and r["kind"] == "client"]
        run.servers = [r for r in run.rows if r["pid"] == mongo.pid and r["kind"] == "server"]
        driven.update(r["op"] for r in run.clients + run.servers)
        yield run


def test_both_sides_equal_the_servers_account(run):
    clean(run)
    assert len(run.account) > 1000
    for rows, port in (run.clients, "local_port"), (run.servers, "peer_port"):
        got = Counter((r[port], r["attrs"]["db.namespace"], r["op"].lower(), r["dur_ms"] is not None and
                       r["ttfb_ms"] is not None) for r in rows if r["op"] != "isMaster")
        same(got, Counter(a for a in run.account if a[2] != "ismaster"), port)
        times_are_sane(rows)
    assert len([r for r in run.clients if r["op"] == "isMaster"]) == len(
        [r for r in run.servers if r["op"] == "isMaster"]) >= 1


def told(row):
    """What pymongo's listener knows; not the answer of the server to a driver that only greets it."""
    return (row["op"].lower(), row["attrs"]["db.namespace"], row["target"], row["code"] or -1 if row["error"] else 0,
            row["attrs"].get("db.response.returned_rows"))


def test_both_sides_equal_the_listeners_account(run):
    want = Counter()
    for (op, db, name, error, rows), n in run.did.items():
        op = op.lower()
        named = op not in ("nonsense", "endsessions")
        want[op, db, name.split(".")[-1] if name and named else None, error, rows] += n
    want = Counter({k: n for k, n in want.items() if k[0] != "ismaster"})
    for rows in run.clients, run.servers:
        same((told(r) for r in rows if r["op"] != "isMaster"), want, "listener")


def test_names_shapes_errors_and_cursors(run):
    for rows in run.clients, run.servers:
        find = [r for r in rows if r["op"] == "find" and r["target"] == "orders"]
        assert {(r["name"], r["query"]) for r in find} == {("find orders", SHAPE)}
        assert {r["attrs"]["db.query.summary"] for r in find} == {"find orders"}
        assert {r["attrs"]["db.collection.name"] for r in find} == {"orders"}
        again = [r for r in rows if r["error"] and r["op"] == "insert"]
        assert len(again) == N and {(r["status"], r["error_type"]) for r in again} == {("11000", "DuplicateKey")}
        assert all("duplicate key" in r["attrs"]["error.message"] for r in again)
        many = [r for r in rows if r["target"] == "lines" and r["op"] == "insert"]
        # documents beyond what is kept of a message are not counted
        assert {r["req_bytes"] > 16384: r["attrs"].get("db.operation.batch.size") for r in many} == {False: 100, True: None}
        left = {r["attrs"].get("obi.mongodb.cursor_id") for r in rows if r["target"] == "lines" and r["op"] == "find"}
        assert len(left) == 2 * N // 10 and None not in left


def test_every_operation_that_counts_as_parsed_was_driven():
    mongodb = next(p for p in map(json.loads, obi_run("protocols", "-o", "json").stdout.splitlines())
                   if p["name"] == "mongodb")
    assert set(mongodb["ops_parsed"]) - OPCODES <= driven, set(mongodb["ops_parsed"]) - driven
