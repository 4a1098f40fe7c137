# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSearch: spans of both sides against the server's own statistics and opensearch-py's account, one for one."""
import json
import subprocess
import urllib.request
from collections import Counter

import pytest

from rig.accounts import same
from rig.load import WAYS, traced
from rig.proc import ROOT, free_port, wait_for
from rig.servers import Server

N = 130
# names of the server's statistics, of those endpoints that have one of their own
ACTIONS = {"search": "search_action", "bulk": "bulk_action", "update": "document_update_action",
           "mget": "document_mget_action", "msearch": "msearch_action", "delete": "document_delete_action",
           "index": "document_index_action", "count": "count_action", "indices.refresh": "refresh_action",
           "delete_by_query": "delete_by_query_action", "indices.create": "create_index_action",
           "cluster.health": "cluster_health_action"}


class OpenSearch(Server):
    def prepare(self):
        home = subprocess.run([ROOT / "tests/setup/opensearch.sh"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()
        self.path, self.inner = f"{home}/classes:{home}/lib/*", free_port()

    def command(self):
        return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", self.path, "OpenSearchServe", self.port,
                self.inner, self.dir / "data"]

    def wait_ready(self):
        self.wait_listen()
        wait_for("the cluster", lambda: self.ask("/_cluster/health")["status"] in ("green", "yellow"))

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as f:
            return json.load(f)

    def actions(self):
        return Counter(next(iter(self.ask("/_nodes/usage/rest_actions")["nodes"].values()))["rest_actions"])

    def mark(self):
        self.before = self.actions()

    def account(self):
        return self.actions() - self.before


@pytest.fixture(scope="module")
def server():
    with OpenSearch() as server:
        yield server


@pytest.fixture(scope="module", params=WAYS)
def run(request, server):
    return traced(request.param, server, "opensearch_load.py", N)


def test_requests_equal_the_clients_account(run):
    assert sum(run.did.values()) > 1000
    clients, servers = run.both
    for rows in run.both:
        assert {(r["level"], r["proto"]) for r in rows} == {("elasticsearch", "http")}
        same(((r["op"], r["attrs"].get("db.collection.name"), int(r["status"]) // 100) for r in rows),
             Counter((op, index, status // 100) for op, index, status, _ in run.did.elements()), "opensearch-py's account")
    same(((r["op"], r["error_type"]) for r in clients if r["error"]),
         Counter((op, error or "404") for op, _, status, error in run.did.elements() if status >= 400),
         "opensearch-py's errors")
    assert not any(r["error"] for r in servers), "4xx is no failure of a server"


def test_requests_equal_the_servers_statistics(run):
    for rows in run.both:
        counts = Counter(r["op"] for r in rows if r["status"] != "400")  # which no action has been given
        assert {op: counts[op] for op in ACTIONS} == {op: run.account[a] for op, a in ACTIONS.items()}, run.account


def test_a_request_says_what_the_conventions_ask_for(run):
    clients, _ = run.both
    for rows in run.both:
        assert {r["attrs"]["db.system.name"] for r in rows} == {"opensearch"}
        assert all(r["attrs"]["db.operation.name"] == r["op"] for r in rows)
        assert {r["name"] for r in rows if r["op"] == "search"} == {"search orders", "search nothing"}
    wrong = [r for r in clients if r["error_type"] == "index_not_found_exception"]
    assert {(r["attrs"]["db.response.status_code"], r["attrs"]["error.message"]) for r in wrong} == {
        ("404", "no such index [nothing]")}
