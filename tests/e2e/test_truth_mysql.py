# SPDX-License-Identifier: GPL-3.0-or-later
"""MySQL spans against MariaDB's general log, performance_schema and the client's own account."""
from collections import Counter

import pytest

from rig.accounts import carried, clean, error_code, inside, literals_gone, same, times_are_sane
from rig.obi import Obi
from rig.proc import Gate
from rig.servers import MariaDB

SESSION = {"CONNECT", "LOGIN", "AUTH", "QUIT", "HANDSHAKE"}
OWN_NAMES = {"PING": "ping", "INIT_DB": "init", "PREPARE": "prepare"}


@pytest.fixture(scope="module")
def server():
    with MariaDB() as db:
        yield db


def traced(db, *argv, **kw):
    db.mark()
    with Gate(*argv, **kw) as gate, Obi("--show-secrets", pids=[*db.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    run.log, run.calls = db.log(), db.calls()
    run.servers = [r for r in run.of("server", "mysql") if r["op"] not in SESSION]
    run.clients = [r for r in run.of("client", "mysql") if r["op"] not in SESSION]
    return run


UNKNOWN_STATEMENT = "1243"  # answered, but never run, and in no log


def texts(rows):
    """Statement texts without their literals, of spans that carry one and were run."""
    return Counter(literals_gone(r["target"]) for r in rows
                   if r["op"] not in ("PING", "INIT_DB", "PREPARE", "CLOSE", "RESET") and
                   r["status"] != UNKNOWN_STATEMENT)


def account(path):
    with open(path) as f:
        for line in f:
            kind, error, text = line.rstrip("\n").split("\t")
            yield kind, error, text


def own_kind(row):
    return OWN_NAMES.get(row["op"], "statement")


def equal_to_the_servers(run, errors=None, nested=inside):
    clean(run)
    log = Counter(literals_gone(text) for _, command, text in run.log if command in ("Query", "Execute"))
    for side in (run.servers, run.clients):
        same(texts(side), log, "MariaDB, general log")
        if errors is not None:
            same((r["status"] for r in side if r["error"]), errors, "MariaDB, errors by number")
    times_are_sane(run.rows)
    assert nested(run.servers, run.clients) >= sum(log.values())


@pytest.mark.parametrize("split", [False, True], ids=["whole", "split"])
def test_text_prepared_and_errors(load, folder, split):
    with MariaDB(env={"LD_PRELOAD": str(load / "split.so")} if split else None) as db:
        run = carried(lambda env: traced(db, load / "mysql_load", db.port, 4000 if split else 21500,
                                         folder / "account", env=env))
    own = list(account(folder / "account"))
    assert len(own) >= (3900 if split else 20000)
    failed = Counter(error for _, error, _ in own if error != "0")
    equal_to_the_servers(run, failed)
    for side in (run.servers, run.clients):
        same(((own_kind(r), error_code(r, "0")) for r in side if own_kind(r) != "prepare"),
             ((k if k in ("ping", "init") else "statement", e) for k, e, _ in own if k != "prepare"),
             "mysql_load's account")
    for name in ("Ping", "Init DB"):
        spans = sum(own_kind(r) == {"Ping": "ping", "Init DB": "init"}[name] for r in run.servers)
        assert spans == run.calls[name][0], (name, spans, run.calls[name])
    per_command = sum(e for name, (_, e) in run.calls.items() if name not in ("Prepare", "Execute"))
    assert sum(1 for r in run.servers if r["error"] and own_kind(r) != "prepare") <= \
        per_command + run.calls["Execute"][1]
    if not split:
        assert sum(r["resp_bytes"] > 65536 for r in run.clients) >= 2000
        assert sum(r["resp_bytes"] > 10 << 20 for r in run.clients) >= 3


def test_mysqlslap(server):
    run = traced(server, "mariadb-slap", "--no-defaults", "-h", "127.0.0.1", "-P", server.port, "-u", "root",
                 "--create-schema=slap", "--auto-generate-sql", "--auto-generate-sql-load-type=key", "--auto-generate-sql-add-autoincrement",
                 "--concurrency=8", "--engine=MEMORY", "--number-of-queries=20000", "--auto-generate-sql-write-number=100")
    assert sum(1 for _, command, _ in run.log if command == "Query") >= 20000
    equal_to_the_servers(run, {})


def test_a_compressed_connection_is_named(server):
    run = traced(server, "mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", server.port, "-u", "root",
                 "--compress", "-e", "SELECT 1")
    assert run.status == 0
    assert any("compress" in str(r["attrs"]) for r in run.of(proto="mysql")), run.rows
    assert not [r for r in run.clients if r["target"] and "SELECT" in r["target"]]


def test_local_infile(server, folder):
    (folder / "rows").write_text("1\n2\n3\n" * 50000)
    server.sql("CREATE TABLE IF NOT EXISTS test.t3 (a INT)")
    run = traced(server, "mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", server.port, "-u", "root",
                 "--local-infile=1", "test", "-e",
                 f"LOAD DATA LOCAL INFILE '{folder}/rows' INTO TABLE t3; SELECT COUNT(*) FROM t3")
    equal_to_the_servers(run, {})
    (row,) = [r for r in run.clients if "INFILE" in r["target"]]
    assert row["req_bytes"] > 300000
