# SPDX-License-Identifier: GPL-3.0-or-later
"""MQTT spans of mosquitto and paho against what the client counted, one for one."""
import json
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, Client
from rig.servers import Server

N = 100


class Mosquitto(Server):
    def prepare(self):
        (self.dir / "conf").write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                                       "max_queued_messages 0\nmax_inflight_messages 0\n")

    def command(self):
        return ["/usr/sbin/mosquitto", "-c", self.dir / "conf"]

    def mark(self):
        pass


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request):
    middle = request.param == "in the middle"
    with Mosquitto() as broker:
        argv = ["/usr/bin/python3", ROOT / "tests/load/mqtt_load.py", broker.port, N, int(middle)]
        with Client(*argv, middle=middle) as client, \
                Obi("--show-secrets", "--proto", "mqtt", pids=[broker.pid, client.pid]) as obi:
            out = client.run()
            run = obi.stop()
        run.did, run.middle = Counter(json.loads(out)), middle
        run.clients, run.servers = ([r for r in run.rows if r["pid"] == p] for p in (client.pid, broker.pid))
        yield run


def test_both_sides_equal_the_clients_account(run):
    clean(run)
    for rows in run.clients, run.servers:
        same((f'{r["op"]} {r["topic"]}' for r in rows if r["op"] in ("publish", "process")),
             run.did.elements(), "mqtt")


def test_what_is_acknowledged_has_a_duration(run):
    times_are_sane([r for r in run.rows if r["dur_ms"] is not None])
    for r in run.rows:
        if r["op"] in ("publish", "process"):
            assert "open" not in r["flags"], r
            assert (r["ttfb_ms"] is None) == r["topic"].endswith("/0"), r


def test_kinds_and_context(run):
    kinds = {(r["op"], r["kind"]) for r in run.clients if r["op"] in ("publish", "process")}
    assert kinds == {("publish", "producer"), ("process", "consumer")}
    assert {r["op"] for r in run.rows} >= {"unsubscribe", "disconnect"}
    if run.middle:  # 3.1.1 is assumed then
        return
    assert {r["attrs"].get("messaging.client.id") for r in run.clients if r["op"] == "connect"} == {"old", "new"}
    for op in "publish", "process":
        traced = [r["trace_id"] for r in run.clients if r["op"] == op and r["topic"] == "v5/1"]
        assert Counter(traced) == Counter(f"{i + 1:032x}" for i in range(N))
