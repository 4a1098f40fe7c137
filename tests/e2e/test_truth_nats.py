# SPDX-License-Identifier: GPL-3.0-or-later
"""NATS spans of server and client against what the client counted, one for one."""
import json
import os
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, Client
from rig.servers import Server

N = 300


class Nats(Server):
    def command(self):
        return ["/usr/sbin/nats-server", "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", self.dir / "js"]

    def mark(self):
        pass


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request):
    middle = request.param == "in the middle"
    with Nats() as nats:
        argv = [os.environ["CLIENTS"], ROOT / "tests/load/nats_load.py", nats.port, N, int(middle)]
        with Client(*argv, middle=middle) as client, \
                Obi("--show-secrets", "--proto", "nats", pids=[nats.pid, client.pid]) as obi:
            out = client.run()
            run = obi.stop()
        run.did = Counter(json.loads(out))
        run.middle = middle
        run.clients, run.servers = (([r for r in run.rows if r["pid"] == p and r["kind"] in kinds])
                                    for p, kinds in ((client.pid, ("client", "producer", "consumer")),
                                                     (nats.pid, ("server", "producer"))))
        yield run


def told(rows):
    """What the load counts; calls of JetStream's own interface, PING and SUB aside."""
    for r in rows:
        if r["op"] == "fetch":
            yield "fetch"
        elif r["op"] in ("publish", "request", "process"):
            yield f'{r["op"]} {r["topic"]}'


def test_both_sides_equal_the_clients_account(run):
    clean(run)
    for rows in run.clients, run.servers:
        same(told(rows), run.did.elements(), "nats")


def test_a_request_lasts_until_its_reply(run):
    times_are_sane([r for r in run.rows if r["dur_ms"] is not None])
    for rows in run.clients, run.servers:
        asks = [r for r in rows if r["op"] == "request" and r["topic"] == "ask"]
        assert all(r["dur_ms"] >= 2 for r in asks)
        handled = [r for r in rows if r["op"] == "process" and r["topic"] == "ask"]
        assert all(r["dur_ms"] >= 2 for r in handled)


def test_kinds_errors_and_context(run):
    kinds = {(r["op"], r["kind"]) for r in run.clients if r["op"] in ("publish", "process")}
    assert kinds == {("publish", "producer"), ("process", "consumer")}
    nobody = [r for r in run.rows if r["topic"] == "nobody.there"]
    assert len(nobody) == 2 and all(r["status"] == "503" and r["error"] for r in nobody)
    traced = [r for r in run.clients if r["topic"] == "traced" and r["op"] == "process"]
    assert Counter(r["trace_id"] for r in traced) == Counter(f"{i + 1:032x}" for i in range(N))
    group = [r for r in run.clients if r["op"] == "subscribe" and r["topic"] == "traced"]
    assert run.middle or group[0]["attrs"]["messaging.consumer.group.name"] == "q"
