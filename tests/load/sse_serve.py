# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of Server-Sent Events: sse_serve.py PORT ACCOUNT

/events?n=N&wait=MS sends N events, the first one after MS, in pieces that do not end where events
do. Writes down the target, events sent, and microseconds from the request to the first one."""
import asyncio
import sys
import time

from aiohttp import web

PIECES = (b": hello\n\n", b"event: tick\nid: %d\nda", b"ta: {\"n\": %d}\n\n")


async def events(request):
    began, first = time.monotonic(), None
    n, wait = int(request.query["n"]), int(request.query["wait"])
    r = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await r.prepare(request)
    await r.write(PIECES[0])
    await asyncio.sleep(wait / 1000)
    for i in range(n):
        await r.write(PIECES[1] % i)
        if i % 7 == 0:
            await asyncio.sleep(0.001)
        first = first or time.monotonic()
        await r.write(PIECES[2] % i)
    print(request.path_qs, n, int(((first or began) - began) * 1e6), file=account, flush=True)
    await r.write_eof()
    return r


account = open(sys.argv[2], "w")
app = web.Application()
app.router.add_get("/events", events)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
