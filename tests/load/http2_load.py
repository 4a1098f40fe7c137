# SPDX-License-Identifier: GPL-3.0-or-later
"""
Requests of HTTP/2 over few connections: http2_load.py PORT N MIDDLE. Waits for a line first; with
MIDDLE=1 its connections are in use by then. Prints what it saw: [method, target, status] each.
"""
import asyncio
import json
import os
import random
import sys

import httpx

port, n, middle = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
random.seed(5)
seen = []
rest = int(os.environ.get("LOAD_PAUSE_US", 0)) / 1e6


async def one(client, i):
    await asyncio.sleep(rest)
    path = random.choice(["/small", "/none", "/missing", "/fail", "/one", "/big", "/post", "/file/one"])
    method, body = random.choice(["GET", "GET", "GET", "HEAD", "OPTIONS"]), None
    if path == "/big" and i % 10:
        path = "/one"
    if path == "/post":
        method, body = random.choice(["POST", "PUT"]), bytes(random.choice([0, 1, 1000, 40000, 200000]))
    target = f"{path}?i={i}&token=t{i}"
    trace = {"traceparent": f"00-{i + 1:032x}-{i + 1:016x}-01"} if i % 3 == 0 else {}
    r = await client.request(method, f"http://127.0.0.1:{port}{target}", content=body, headers=trace)
    seen.append([method, target, str(r.status_code)])


async def many(client, count, first):
    gate = asyncio.Semaphore(30)

    async def guarded(i):
        async with gate:
            await one(client, i)
    await asyncio.gather(*(guarded(first + i) for i in range(count)))


async def main():
    async with httpx.AsyncClient(http1=False, http2=True, timeout=60) as a, \
               httpx.AsyncClient(http1=False, http2=True, timeout=60) as b:
        if middle:
            await many(a, 50, n)
            await many(b, 50, n + 50)
            seen.clear()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        await asyncio.gather(many(a, n // 2, 0), many(b, n - n // 2, n // 2))


asyncio.run(main())
print(json.dumps(seen))
