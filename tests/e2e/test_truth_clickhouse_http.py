# SPDX-License-Identifier: GPL-3.0-or-later
"""ClickHouse over HTTP: spans of both sides against its own log of queries and aiochclient's account, one for one."""
import csv
import io
import re
from collections import Counter

import pytest

from rig.accounts import literals_gone, same
from rig.clickhouse import ClickHouse
from rig.load import WAYS, traced

N = 220
ENDS = {2: False, 3: True, 4: True}  # system.query_log.type: whether it failed


class Http(ClickHouse):
    """The load is told the port of HTTP; statements that came there are those of interface 2."""

    def start(self):
        super().start()
        self.port = self.http

    def mark(self):
        self.sql("CREATE TABLE IF NOT EXISTS orders (n UInt32, text String) ENGINE = Memory")

    def account(self):
        """(statement, whether it failed)"""
        self.sql("SYSTEM FLUSH LOGS")
        out = self.sql("SELECT type, query FROM system.query_log WHERE type > 1 AND interface = 2 "
                       "AND query NOT LIKE '%before%' FORMAT CSV")
        return [(query, ENDS[int(kind)]) for kind, query in csv.reader(io.StringIO(out))]


@pytest.fixture(scope="module", params=WAYS)
def run(request):
    return traced(request.param, Http(), "clickhouse_http_load.py", N)


def test_statements_equal_the_clients_account(run):
    assert sum(run.did.values()) > 1000
    for rows in run.both:
        assert {(r["level"], r["proto"]) for r in rows} == {("clickhouse", "http")}
        same(((r["name"], r["attrs"].get("db.response.status_code")) for r in rows), run.did, "aiochclient's account")
    clients, servers = run.both
    assert {r["error_type"] for r in clients if r["error"]} == {code for _, code in run.did if code}
    assert not [r for r in servers if r["error"] and r["code"] < 500], "4xx is no failure of a server"


def test_statements_equal_the_servers_log(run):
    def plain(text):
        """Without the format that the client asks for, which stands behind what is read of long ones."""
        return re.sub(r"\W+", " ", re.sub(r"\s+FORMAT\b.*$", "", literals_gone(text))).strip()
    want = Counter((plain(q), failed) for q, failed in run.account)
    for rows in run.both:
        got = Counter((plain(r["query"]), r["code"] >= 400) for r in rows)
        same(got, want, "system.query_log")


def test_a_statement_says_what_the_conventions_ask_for(run):
    for rows in run.both:
        for r in rows:
            assert (r["attrs"]["db.system.name"], r["attrs"]["db.namespace"]) == ("clickhouse", "default")
            assert "long" not in str(r["query"]), "literals are masked"
        counts = [r for r in rows if r["attrs"]["http.request.method"] == "GET"]
        assert {r["query"] for r in counts} == {"SELECT count() FROM orders WHERE n < ?"}
        assert {(r["target"], r["attrs"].get("url.query")) for r in counts} == {("/", None)}
