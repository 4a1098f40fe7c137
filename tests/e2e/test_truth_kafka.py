# SPDX-License-Identifier: GPL-3.0-or-later
"""Kafka spans of both sides against the broker's log of requests and the clients' own counts."""
import json
import subprocess
import time
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.kafka import Kafka
from rig.obi import Obi, run as obi_run
from rig.proc import Client

N = 1000
CONTEXT = "0af7651916cd43dd8448eb211c80319c"
GROUP = ("joingroup", "syncgroup", "heartbeat", "leavegroup", "offsetcommit")
driven = set()


@pytest.fixture(scope="module")
def broker():
    with Kafka() as k:
        subprocess.run(k.load("topics"), check=True, stdout=subprocess.DEVNULL)
        yield k


def traced(broker, argv, middle=False, stdin=""):
    """A client under obi, which begins before it or meets it when it is ready; the run with both accounts."""
    with Client(*argv, middle=middle) as client:
        if middle:
            time.sleep(1)
        broker.mark()
        with Obi("--show-secrets", "--proto", "kafka", pids=[broker.pid, client.pid]) as obi:
            out = client.run(stdin)
            obi.quiet()
            run = obi.stop(busy=True)
    run.text, run.middle = out, middle
    run.log = list(broker.requests())
    run.clients = [r for r in run.rows if r["pid"] == client.pid and r["peer_port"] == broker.port]
    run.servers = run.of("server", local_port=broker.port)
    driven.update(r["op"] for r in run.clients + run.servers)
    return run


def told(row, port):
    return row[port], row["op"].lower(), row["attrs"]["obi.kafka.api_version"], row["code"] or 0


def equal(run, late=()):
    """
    One for one by connection, request, version and error. `late`: requests that were open when
    obi met the connection; their answers are nobody's.
    """
    clean(run)
    ports = {r["local_port"] for r in run.clients}
    want = Counter((r["port"], r["op"], r["version"], r["code"]) for r in run.log if r["port"] in ports)
    for rows, port in (run.clients, "local_port"), (run.servers, "peer_port"):
        rows = [r for r in rows if r[port] in ports]
        got = Counter(told(r, port) for r in rows)
        missing = want - got
        if run.middle and all(m[1] in late and n == 1 for m, n in missing.items()):
            got += missing
        same(got, want, port)
        times_are_sane(r for r in rows if "open" not in r["flags"])


def messages(rows, op):
    return sum(r["attrs"].get("messaging.batch.message_count", 0) for r in rows if r["op"] == op)


@pytest.mark.parametrize("middle", [False, True], ids=["from the start", "in the middle"])
def test_a_producer_on_both_sides(broker, middle):
    run = traced(broker, broker.load("produce", N, *["wait"] * middle), middle)
    equal(run)
    for rows, kind in (run.clients, "producer"), (run.servers, "server"):
        sent = sorted((r for r in rows if r["op"] == "Produce"), key=lambda r: r["start_ns"])
        assert len(sent) == N and messages(sent, "Produce") == N
        assert {(r["kind"], r["topic"], r["name"]) for r in sent} == {(kind, "orders", "Produce orders")}
        assert {r["attrs"]["messaging.destination.partition.id"] for r in sent} == {"0"}
        offsets = [r["attrs"]["messaging.kafka.offset"] for r in sent]
        assert offsets == list(range(offsets[0], offsets[0] + N))
        assert [r["trace_id"] == CONTEXT for r in sent] == [i % 5 == 0 for i in range(N)]
        assert sum(r["req_bytes"] > 65536 for r in sent) == N // 10


@pytest.mark.parametrize("middle", [False, True], ids=["from the start", "in the middle"])
@pytest.mark.parametrize("kind", ["consume", "group"])
def test_a_consumer_on_both_sides(broker, kind, middle):
    run = traced(broker, broker.load(kind, N, *["wait"] * middle), middle)
    equal(run, late=("fetch", "heartbeat", "consumergroupheartbeat"))
    got = [r for r in run.clients if r["op"] == "Fetch"]
    # the client may ask for the same messages again before it has handed them out
    offsets = set()
    for r in got:
        first = r["attrs"].get("messaging.kafka.offset", 0)
        offsets.update(range(first, first + r["attrs"].get("messaging.batch.message_count", 0)))
    assert len(offsets) == int(run.text.split()[-1]) >= N
    for rows in run.clients, run.servers:
        full = [r for r in rows if r["op"] == "Fetch" and r["resp_bytes"] and r["resp_bytes"] > 1000]
        assert full and {r["topic"] for r in full} == {"orders"}
        groups = {r["attrs"].get("messaging.consumer.group.name") for r in rows if r["op"].lower() in GROUP}
        assert groups == {"readers" if kind == "consume" else "modern"}, groups


def test_batches_of_several_partitions(broker):
    run = traced(broker, broker.load("batches", 20 * N))
    equal(run)
    for rows in run.clients, run.servers:
        assert messages(rows, "Produce") == 20 * N
        wide = [r for r in rows if r["attrs"].get("obi.messaging.partitions")]
        assert wide and all(r["topic"] == "wide" for r in wide)
    run = traced(broker, broker.kcat("-C", "-t", "wide", "-e", "-q", "-f", "%o\n"))
    equal(run)
    assert messages(run.clients, "Fetch") == len(run.text.split()) == 20 * N


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd", "snappy"])
def test_compressed_batches_of_librdkafka(broker, codec):
    lines = "".join(f"{i}\n" for i in range(N))
    run = traced(broker, broker.kcat("-P", "-t", codec, "-z", codec), stdin=lines)
    equal(run)
    for rows in run.clients, run.servers:
        assert messages(rows, "Produce") >= N
        used = {r["attrs"].get("obi.messaging.compression") for r in rows if r["op"] == "Produce"}
        assert {codec} <= used <= {codec, None}, used  # as it is where compression does not help


def test_a_producer_that_wants_no_answers(broker):
    run = traced(broker, broker.kcat("-P", "-t", "orders", "-X", "acks=0", "-X", "linger.ms=0"), stdin="a\nb\n")
    equal(run)
    for rows in run.clients, run.servers:
        sent = [r for r in rows if r["op"] == "Produce"]
        assert sent and messages(sent, "Produce") >= 2
        assert all(r["resp_bytes"] is None and not r["error"] for r in sent)


def test_the_group_of_librdkafka_and_a_topic_that_is_missing(broker):
    run = traced(broker, broker.kcat("-G", "kgroup", "-X", "auto.offset.reset=earliest", "-c", 100, "-q", "orders"))
    equal(run)
    assert {"JoinGroup", "SyncGroup", "OffsetFetch", "LeaveGroup"} <= {r["op"] for r in run.clients}
    run = traced(broker, ["sh", "-c", 'cat >/dev/null; "$@"; true', "sh",
                          *broker.kcat("-C", "-t", "nowhere", "-e", "-X", "allow.auto.create.topics=false")])
    assert {r["error_type"] for r in run.servers if r["error"]} == {"UNKNOWN_TOPIC_OR_PARTITION"}


def test_transactions(broker):
    run = traced(broker, broker.load("txn", 100))
    equal(run)
    for rows in run.clients, run.servers:
        ops = Counter(r["op"] for r in rows)
        assert ops["EndTxn"] == 100 and ops["Produce"] > 80 and messages(rows, "Produce") > 160, ops


def test_operations_of_the_administrator_and_their_errors(broker):
    run = traced(broker, broker.load("admin"))
    equal(run)
    topics = Counter((r["op"], r["topic"]) for r in run.log if r["topic"] and r["client"] == "admin")
    for rows in run.clients, run.servers:
        same(((r["op"].lower(), r["topic"]) for r in rows if r["topic"]), topics, "topics")
        errors = {r["error_type"] for r in rows if r["error"]}
        assert {"TOPIC_ALREADY_EXISTS", "UNKNOWN_TOPIC_OR_PARTITION", "GROUP_ID_NOT_FOUND",
                "SECURITY_DISABLED"} <= errors, errors


def test_every_operation_that_counts_as_parsed_was_driven():
    kafka = next(p for p in map(json.loads, obi_run("protocols", "-o", "json").stdout.splitlines())
                 if p["name"] == "kafka")
    assert set(kafka["ops_parsed"]) <= driven, set(kafka["ops_parsed"]) - driven
