# SPDX-License-Identifier: GPL-3.0-or-later
"""TDS spans of client and server against what two client libraries did and what the server logged."""
import json
import os
import re
import subprocess
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.mssql import Sqlbridge
from rig.obi import Obi
from rig.proc import ROOT, end

N = 300


@pytest.fixture(scope="module")
def server():
    with Sqlbridge() as server:
        yield server


@pytest.fixture(scope="module", params=[(lib, m) for lib in ("python", "freetds")
                                        for m in ("from the start", "in the middle")],
                ids=lambda p: f"{p[0]}, {p[1]}")
def run(request, server):
    library, middle = request.param[0], request.param[1] == "in the middle"
    argv = [os.environ["CLIENTS"], ROOT / "tests/load/mssql_load.py", library, server.port, N, int(middle)]
    gate = ["/bin/sh", "-c", 'read -r _; exec "$@"', "gate"]
    client = subprocess.Popen([str(a) for a in ([] if middle else gate) + argv], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if middle:
            assert client.stdout.readline() == "ready\n"
        server.mark()
        with Obi("--proto", "mssql", pids=[server.pid, client.pid]) as obi:
            out, _ = client.communicate("\n", timeout=300)
            assert not client.returncode
            run = obi.stop(busy=True)
    finally:
        end(client)
    run.library, run.middle, run.did, run.asked = library, middle, Counter(json.loads(out)), server.asked()
    run.clients = run.of("client", pid=client.pid)
    run.servers = run.of("server", pid=server.pid)
    yield run


def is_setting(name):
    return name.lower().startswith(("use ", "set", "batch set"))


def words(rows):
    """As the load counts them; what a library asks of its own is not on its list."""
    for r in rows:
        if r["status"]:
            yield r["status"]
        elif r["name"] not in ("BEGIN", "COMMIT", "ROLLBACK") and not is_setting(r["name"]):
            yield r["name"]


def test_both_sides_equal_the_clients_account(run):
    assert run.status == 0 and run.lost() == 0, run.err
    for rows in run.clients, run.servers:
        assert len(rows) > 1000
        same(words(rows), run.did.elements(), run.library)


def without_literals(text):
    text = re.sub(r"N?'(?:[^']|'')*'|\b\d+\b", "?", text.replace("\\r", "\r").replace("\\n", "\n"))
    return text.split(" VALUES")[0].strip()


def test_the_server_has_logged_the_same(run):
    """Every statement, and what ends or begins a transaction, but the long ones that it does not log whole."""
    logged = Counter(without_literals(s) for s in run.asked
                     if not s.startswith("SELECT '") and not is_setting(s))
    said = Counter({"BEGIN": "BEGIN TRANSACTION"}.get(r["name"]) or without_literals(r["target"] or r["name"])
                   for r in run.servers
                   if r["name"] not in ("SELECT", "PRELOGIN", "LOGIN") and not is_setting(r["name"]))
    if run.library == "python":  # asked to stop, it logs once more what came last
        logged["SELECT id, name FROM songs ORDER BY id"] -= N // 10
    same(said.elements(), logged.elements(), run.library)


def test_texts_rows_and_times(run):
    times_are_sane([r for r in (*run.clients, *run.servers) if "gap" not in r["flags"]])
    for r in (*run.clients, *run.servers):
        a = r["attrs"]
        assert a["db.system.name"] == "microsoft.sql_server"
        if r["name"] == "SELECT [songs]":
            assert r["query"] == "SELECT id, name FROM [songs] WHERE id = ? AND name <> ?"
            assert a["db.response.returned_rows"] == 1
        elif "ORDER BY" in (r["target"] or ""):
            assert a["db.response.returned_rows"] == 400
        elif r["name"].startswith("EXEC"):
            assert a["db.stored_procedure.name"] == "sp_tables"
        if not run.middle and r["name"] not in ("PRELOGIN", "LOGIN"):
            assert a["db.namespace"] == "pysqlbridge", r  # so the server says


def test_errors_have_their_number(run):
    for rows in run.clients, run.servers:
        bad = [r for r in rows if r["error"]]
        assert len(bad) == N // 4
        for r in bad:
            a = r["attrs"]
            assert r["error_type"] == a["db.response.status_code"] == "207" and r["target"]
            assert a["obi.mssql.error.class"] == 16 and "invalid column name" in a["error.message"].lower()


def test_a_hidden_login_is_named(run):
    hidden = [r["name"] for r in (*run.clients, *run.servers) if "obi.encrypted" in r["attrs"]]
    assert Counter(hidden) == ({} if run.middle else {"PRELOGIN": 2, "LOGIN": 2})
    assert "Secret_word" not in json.dumps(run.rows)


def test_nothing_is_invented_and_transactions_are_told(run):
    clean(run)
    if run.library == "python":
        ops = Counter(r["op"] for r in run.clients)
        assert ops["BEGIN"] == ops["COMMIT"] + ops["ROLLBACK"] == N // 4
