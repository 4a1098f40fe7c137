# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs about 4 N queries against ClickHouse over its native protocol.

usage: clickhouse_load.py PORT N PAUSE NAME COMPRESSION
       PAUSE 1: prints "ready" once it is connected and has asked once, waits for a line
       NAME: what the client calls itself; COMPRESSION: 0, lz4 or zstd

Prints, as JSON, how often it did what, and how many rows it got and sent:
{"did": {"INSERT songs": 5, ...}, "rows": {"SELECT songs": 100}}."""
import json
import sys
from collections import Counter

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

WIDE = """CREATE TABLE wide (i UInt64, s String, n Nullable(String), a Array(String), d Date, t DateTime,
    f FixedString(5), e Enum8('a' = 1, 'b' = 2), x Array(Array(UInt16)), p Tuple(UInt8, String), u UUID,
    m Decimal(18, 4), an Array(Nullable(Int32))) ENGINE = Memory"""


def wide(i):
    import datetime
    import uuid
    return (i, "s" * (i % 200), None if i % 3 else "n", ["a"] * (i % 4), datetime.date(2020, 1, 1),
            datetime.datetime(2020, 1, 1), "fixed", "ab"[i % 2], [[i % 7], []] * (i % 3), (i % 256, "t"),
            uuid.uuid4(), i, [None, i])


def main(port, n, pause, name, compression):
    did, rows = Counter(), Counter()
    client = Client("127.0.0.1", port=port, client_name=name, compression=compression)

    def do(what, text, *args, **kw):
        did[what] += 1
        got = client.execute(text, *args, **kw)
        rows[what] += len(got) if isinstance(got, list) else got or 0
        return got

    client.execute("SELECT 'before', 1")
    if pause:
        print("ready", flush=True)
        sys.stdin.readline()
    for table in "songs", "wide":
        do(f"DROP TABLE {table}", f"DROP TABLE IF EXISTS {table}")
    do("CREATE TABLE songs", "CREATE TABLE songs (id UInt32, name String) ENGINE = Memory")
    do("CREATE TABLE wide", WIDE)
    for i in range(n // 4):
        do("INSERT songs", "INSERT INTO songs (id, name) VALUES", [(i, "song" * (i % 50)), (n + i, "x")])
    for i in range(n):
        do("SELECT songs", f"SELECT id, name FROM songs WHERE id = {i}")
    for i in range(n // 4):
        do("SELECT system.numbers", f"SELECT number, toString(number) FROM system.numbers LIMIT {i}")
    for i in range(n // 10):
        try:
            do("47", "SELECT nothing FROM songs")
        except ServerException as e:
            assert e.code == 47
    do("INSERT wide", "INSERT INTO wide VALUES", [wide(i) for i in range(3000)])
    for _ in range(5):
        assert len(do("SELECT wide", "SELECT * FROM wide")) == 3000
    do("SELECT system.numbers", "SELECT number, toString(number) FROM system.numbers LIMIT 200000")
    do("WITH TOTALS", "SELECT id % 3 AS k, count() FROM songs GROUP BY k WITH TOTALS")
    for i, (block, _) in enumerate(client.execute_iter("SELECT number, 'x' FROM system.numbers LIMIT 100000")):
        rows["iter"] += 1
    did["iter"] += 1
    for _ in range(n // 10):
        client.connection.ping()
        did["PING"] += 1
    print(json.dumps({"did": did, "rows": rows}))
    client.disconnect()


main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4],
     False if sys.argv[5] == "0" else sys.argv[5])
