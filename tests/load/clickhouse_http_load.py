# SPDX-License-Identifier: GPL-3.0-or-later
"""
Statements to ClickHouse over HTTP (aiochclient): clickhouse_http_load.py PORT N MIDDLE. Waits for a line first;
with MIDDLE=1 its connection is in use by then. Prints what it did: [summary, error code or null, count].
"""
import asyncio
import json
import re
import sys
from collections import Counter

import aiohttp
from aiochclient import ChClient
from aiochclient.exceptions import ChClientError

port, n, middle = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
did = Counter()


async def ask(summary, call, *args):
    try:
        await call(*args)
        did[summary, None] += 1
    except ChClientError as e:
        did[summary, re.match(r"Code: (\d+)", str(e))[1]] += 1


async def post(session, summary, text):
    """aiochclient does not wait for the end of answers without rows, and closes the connection."""
    async with session.post(f"http://127.0.0.1:{port}/", params={"database": "default"}, data=text,
                            headers={"X-ClickHouse-User": "default"}) as r:
        await r.read()
        assert r.status == 200
        did[summary, None] += 1


async def one(client, session, i):
    await ask("SELECT orders", client.fetch, f"SELECT n, 'x' FROM orders WHERE n = {i}")
    await post(session, "INSERT orders", f"INSERT INTO orders (n, text) VALUES ({i}, '{'x' * (i * 29 % 3000)}')")
    await ask("SELECT nothing", client.fetch, f"SELECT n FROM nothing WHERE n = {i}")
    await ask("SELECT", client.fetch, f"SELECT {i} + 1, '{'long ' * (i * 17 % 1500)}'")
    async with session.get(f"http://127.0.0.1:{port}/", params={"query": f"SELECT count() FROM orders WHERE n < {i}",
                                                               "database": "default"}) as r:
        await r.read()
        did["SELECT orders", None] += 1
    if i % 10 == 0:
        await ask("SELEC", client.execute, f"SELEC {i}")
        await post(session, "CREATE TABLE lines", "CREATE TABLE lines (n UInt32) ENGINE = Memory")
        await post(session, "DROP TABLE lines", "DROP TABLE lines")


async def main():
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        client = ChClient(session, url=f"http://127.0.0.1:{port}/", user="default", database="default")
        if middle:
            await client.fetch("SELECT 'before'")
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for i in range(n):
            await one(client, session, i)


asyncio.run(main())
print(json.dumps([[*k, v] for k, v in did.items()]))
