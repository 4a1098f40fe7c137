# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL spans against csvlog with SQLSTATE, pg_stat_statements and the clients' own accounts."""
from collections import Counter

import pytest

from rig.accounts import carried, clean, inside, same, statement, times_are_sane
from rig.obi import Obi
from rig.proc import Gate
from rig.servers import PG_BIN, Postgres

ERRORS = """
SELECT 1/0;
SELECT * FROM nowhere;
SELECT nothing FROM pg_class;
SELEC 1;
INSERT INTO errors VALUES (1);
SELECT 'x'::int;
SELECT pg_sleep('abc');
DO $$ BEGIN RAISE NOTICE 'a notice'; END $$;
DO $$ BEGIN RAISE EXCEPTION 'own' USING ERRCODE = 'ZZ001'; END $$;
SELECT count(*) FROM errors;
BEGIN;
SELECT 1/0;
SELECT 2;
ROLLBACK;
SELECT 'a', 'b' UNION ALL SELECT 'c', 'd';
UPDATE errors SET id = id;
"""


@pytest.fixture(scope="module")
def server():
    with Postgres() as pg:
        Gate(PG_BIN / "pgbench", "-i", "-q", "-h", "127.0.0.1", "-p", pg.port, "-U", "postgres",
             "postgres").run()
        yield pg


def traced(pg, *argv, **kw):
    """Runs a client under obi, both sides; the run and the server's account of it."""
    pg.mark()
    with Gate(*argv, **kw) as gate, Obi("--show-secrets", pids=[*pg.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
        run.log = Counter(r[1:] for r in pg.statements())
        run.servers = [r for r in run.of("server", "postgresql") if is_statement(r)]
        run.clients = [r for r in run.of("client", "postgresql") if is_statement(r)]
        return run


def is_statement(row):
    """The log's lines are statements: no start of a session, no mere preparation, nothing thrown away."""
    return row["target"] is not None and row["op"] not in ("CONNECT", "CANCEL") and \
        (row["op"] != "PREPARE" or row["error"]) and row["error_type"] != "discarded"


def equal(run, atleast, nested=inside):
    clean(run)
    assert sum(run.log.values()) >= atleast
    for side in (run.servers, run.clients):
        same(map(statement, side), run.log, f"PostgreSQL, {side[0]['kind'] if side else 'no'} spans")
    times_are_sane(run.rows)
    assert nested(run.servers, run.clients) == sum(run.log.values())


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(server, mode):
    run = traced(server, PG_BIN / "pgbench", "-n", "-M", mode, "-c", 8, "-t", 360, "-h", "127.0.0.1", "-p",
                 server.port, "-U", "postgres", "postgres")
    equal(run, 20000)
    if mode == "simple":
        calls = Counter()
        for text, n in server.calls().items():
            calls[text.split()[0].upper().rstrip(";")] += n
        spans = Counter(r["op"] for r in run.servers)
        for op in ("BEGIN", "UPDATE", "INSERT"):
            assert spans[op] == calls[op], (spans, calls)


def test_psql_errors_by_sqlstate(server, folder):
    script = folder / "errors.sql"
    script.write_text("CREATE TABLE errors (id int PRIMARY KEY);\nINSERT INTO errors VALUES (1);\n" +
                      ERRORS * 1300 + "DROP TABLE errors;\n")
    run = traced(server, *server.psql("-q", "-o", "/dev/null", "-f", script), env=None)
    equal(run, 20000)
    states = Counter(s for (_, s) in run.log.elements())
    assert {"22012", "42P01", "42703", "42601", "23505", "22P02", "ZZ001", "25P02"} <= set(states)
    assert Counter(r["status"] for r in run.servers if r["error"]) == \
        Counter({s: n for s, n in states.items() if s != "00000"})


def test_a_pipelining_client_with_errors_and_large_answers(server, load, folder):
    run = carried(lambda env: traced(server, load / "pg_pipeline", server.port, 27000, folder / "account",
                                     env=env))
    equal(run, 20000)
    own = Counter()
    with open(folder / "account") as f:
        for line in f:
            state, text = line.rstrip("\n").split("\t")
            if state != "skipped":
                own[(text, state)] += 1
    same(map(statement, run.clients), own, "pipelining client")
    assert sum(r["resp_bytes"] > 65536 for r in run.clients) >= sum(run.log.values()) / 10
    assert sum(r["resp_bytes"] > 10 << 20 for r in run.clients) > 3


def test_messages_split_at_every_boundary(load, folder):
    with Postgres(env={"LD_PRELOAD": str(load / "split.so")}) as pg:
        run = carried(lambda env: traced(pg, load / "pg_pipeline", pg.port, 4000, folder / "account", env=env))
        equal(run, 2500)


def test_copy_notices_and_cancel(server, folder):
    script = folder / "copy.sql"
    script.write_text("""
CREATE TABLE copied (id int, v text);
INSERT INTO copied SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g;
\\copy copied to 'FOLDER/out'
\\copy copied from 'FOLDER/out'
COPY copied TO STDOUT;
SELECT count(*) FROM copied;
\\copy copied from '/dev/null'
COPY copied FROM '/nowhere/at/all';
SET statement_timeout = 50;
SELECT pg_sleep(5);
RESET statement_timeout;
LISTEN here;
NOTIFY here, 'payload';
SELECT 1\\; SELECT 2\\; SELECT 3;
DROP TABLE copied;
""".replace("FOLDER", str(folder)))
    run = traced(server, *server.psql("-q", "-o", "/dev/null", "-f", script))
    equal(run, 14)
    (sleep,) = [r for r in run.clients if "pg_sleep" in r["target"]]
    assert sleep["status"] == "57014" and sleep["dur_ms"] >= 50
    (out,) = [r for r in run.clients if r["target"].startswith("COPY copied TO STDOUT")]
    assert out["resp_bytes"] > 4 << 20
