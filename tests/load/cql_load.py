# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs about 4 N statements against Cassandra, in pipelines and one by one.

usage: cql_load.py PORT VERSION N PAUSE     VERSION of the protocol; PAUSE 1: prints "ready" once it is
                                            connected and has prepared one statement, waits for a line

Prints, as JSON, how often it did what, and by how much the server's own counters of statements went up:
{"did": {"INSERT songs": 5, ...}, "metrics": {"prepared": 5}}."""
import json
import sys
from collections import Counter

from cassandra import InvalidRequest
from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import BatchStatement


def prepared(session):
    rows = session.execute("SELECT name, value FROM system_views.cql_metrics")
    return next(int(r.value) for r in rows if r.name == "prepared_statements_executed")


def main(port, version, n, pause):
    did = Counter()
    cluster = Cluster(["127.0.0.1"], port=port, protocol_version=version, compression=False)
    session = cluster.connect()
    session.execute("CREATE KEYSPACE IF NOT EXISTS shop WITH replication = "
                    "{'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.execute("CREATE TABLE IF NOT EXISTS shop.songs (id int PRIMARY KEY, name text)")
    session.set_keyspace("shop")
    old = session.prepare("SELECT name FROM songs WHERE id = ?")
    before = prepared(session)
    if pause:
        print("ready", flush=True)
        sys.stdin.readline()
    insert = session.prepare("INSERT INTO songs (id, name) VALUES (?, ?)")
    did["PREPARE"] += 1
    execute_concurrent_with_args(session, insert, [(i, "song" * (i % 50)) for i in range(n)], concurrency=50)
    did["INSERT songs"] += n
    assert all(r.success for r in execute_concurrent_with_args(session, old, [(i,) for i in range(n)], concurrency=50))
    did["old"] += n
    for i in range(n):
        assert len(list(session.execute(f"SELECT name FROM songs WHERE id IN ({i}, {n + i})"))) == 1
    did["SELECT songs"] += n
    for i in range(n // 2):
        session.execute("UPDATE songs SET name = %s WHERE id = %s", ("x" * i, i))
    did["UPDATE songs"] += n // 2
    for i in range(n // 4):
        batch = BatchStatement()
        batch.add(insert, (i, "y"))
        batch.add(insert, (i + 1, "y"))
        session.execute(batch)
    did["BATCH INSERT songs"] += n // 4
    for _ in range(n // 10):
        try:
            session.execute("SELECT nothing FROM songs")
        except InvalidRequest:
            did["8704"] += 1
    session.execute(insert, (7777, "z" * 300000))
    assert len(session.execute("SELECT name FROM songs WHERE id IN (7777)").one().name) == 300000
    did["INSERT songs"] += 1
    did["SELECT songs"] += 1
    session.execute("TRUNCATE songs", timeout=60)
    did["TRUNCATE songs"] += 1
    print(json.dumps({"did": did, "metrics": {"prepared": prepared(session) - before}}))
    cluster.shutdown()


main(*map(int, sys.argv[1:]))
