# SPDX-License-Identifier: GPL-3.0-or-later
"""AMQP spans of both sides against what the client did and what RabbitMQ counted."""
import json
import os
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import Obi, run as obi_run
from rig.proc import ROOT, Client
from rig.rabbitmq import Rabbitmq

N = 250
HANDSHAKE = {"connection.start", "connection.tune", "connection.open"}
driven = set()


@pytest.fixture(scope="module")
def broker():
    with Rabbitmq() as rabbitmq:
        yield rabbitmq


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request, broker):
    middle = request.param == "in the middle"
    argv = [os.environ["CLIENTS"], ROOT / "tests/load/amqp_load.py", broker.port, N, int(middle)]
    with Client(*argv, middle=middle) as client:
        broker.mark()
        with Obi("--show-secrets", "--proto", "amqp", pids=[*broker.pids, client.pid]) as obi:
            out = client.run()
            obi.quiet()
            run = obi.stop(busy=True)
    run.did, run.middle, run.counted = Counter(json.loads(out)), middle, broker.counted()
    run.clients = [r for r in run.rows if r["pid"] == client.pid]
    run.servers = [r for r in run.rows if r["pid"] != client.pid]
    driven.update(r["op"] for r in run.clients)
    yield run


def told(row):
    return row["op"] + (" " + row["topic"] if row["topic"] else "")


def test_both_sides_equal_the_clients_account(run):
    clean(run)
    assert len(run.clients) > 1000
    for rows in run.clients, run.servers:
        same(map(told, rows), run.did.elements(), "amqp")
        times_are_sane(rows)


def test_both_sides_equal_the_brokers_account(run):
    for rows in run.clients, run.servers:
        ops = Counter(r["op"] for r in rows)
        got = Counter(r["attrs"].get("messaging.batch.message_count") for r in rows if r["op"] == "get")
        want = {
            "messages_received_total": ops["publish"],
            "messages_delivered_consume_manual_ack_total": ops["deliver"],
            "messages_delivered_get_manual_ack_total": got[1],
            "messages_get_empty_total": got[0],
            "messages_acknowledged_total": ops["ack"],
            "messages_unroutable_returned_total": ops["return"],
        }
        assert {k: run.counted[k] for k in want} == want


def test_kinds_topics_context_and_errors(run):
    for rows, kinds in ((run.clients, ("producer", "consumer", "client")), (run.servers, ("server", "producer", "server"))):
        sent = [r for r in rows if r["op"] == "publish" and r["topic"] == "orders:eu.new"]
        heard = [r for r in rows if r["op"] == "deliver" and r["topic"] == "orders:eu.new"]
        assert {r["kind"] for r in sent} == {kinds[0]} and {r["kind"] for r in heard} == {kinds[1]}
        traces = Counter(f"{i + 1:032x}" for i in range(N))
        same((r["trace_id"] for r in sent), traces, "sent")
        same((r["trace_id"] for r in heard), traces, "heard")
        for some in sent, heard:
            assert {r["attrs"]["messaging.message.id"] for r in some} == {f"m{i}" for i in range(N)}
            assert {r["attrs"]["messaging.rabbitmq.destination.routing_key"] for r in some} == {"eu.new"}
            assert all(100 < r["req_bytes"] - r["attrs"]["messaging.message.body.size"] < 300 for r in some)
        assert {r["name"] for r in sent} == {"publish orders:eu.new"}
        errors = Counter((r["op"], r["error_type"], r["code"]) for r in rows if r["error"])
        # what the client has done wrong is no error of the broker
        assert errors == Counter() if rows is run.servers else errors == {("queue.declare", "NOT_FOUND", 404): 1, ("exchange.declare", "PRECONDITION_FAILED", 406): 1,
                          ("return", "NO_ROUTE", 312): 1}


def test_every_operation_that_counts_as_parsed_was_driven():
    amqp = next(p for p in map(json.loads, obi_run("protocols", "-o", "json").stdout.splitlines())
                if p["name"] == "amqp")
    want = {op.removeprefix("basic.") for op in amqp["ops_parsed"]
            if not op.endswith(("-ok", "-empty")) and op not in HANDSHAKE} | {"connect"}
    assert want <= driven, want - driven
