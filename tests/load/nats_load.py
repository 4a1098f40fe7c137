# SPDX-License-Identifier: GPL-3.0-or-later
"""Says N of each kind of thing to a NATS server, over connections that were open before.

usage: nats_load.py PORT N PAUSE     PAUSE 1: prints "ready" once connected and waits for a line

Prints what it did and got, as JSON: {"publish plain": 100, ...}."""
import asyncio
import json
import sys
from collections import Counter

import nats


async def main(port, n, pause):
    did = Counter()
    url = f"nats://127.0.0.1:{port}"
    sender, listener, responder = [await nats.connect(url) for _ in range(3)]
    all_heard = asyncio.Event()

    async def heard(msg):
        did["process " + msg.subject] += 1
        if did["process plain"] + did["process traced"] == 2 * n:
            all_heard.set()

    async def respond(msg):
        did["process " + msg.subject] += 1
        await asyncio.sleep(0.002)
        await msg.respond(b"y" * (did["process " + msg.subject] * 37 % 100000))

    await listener.subscribe("plain", cb=heard)
    await listener.subscribe("traced", queue="q", cb=heard)
    await responder.subscribe("ask", cb=respond)
    js = sender.jetstream()
    await js.add_stream(name="stored", subjects=["stored"])
    puller = await js.pull_subscribe("stored", "durable")
    for nc in listener, responder, sender:
        await nc.flush()
    if pause:
        print("ready", flush=True)
        sys.stdin.readline()
    for i in range(n):
        await sender.publish("plain", b"x" * (i * 131 % 70000))
        trace = f"00-{i + 1:032x}-{i + 1:016x}-01"
        await sender.publish("traced", b"z", headers={"traceparent": trace})
        did["publish plain"] += 1
        did["publish traced"] += 1
        await sender.request("ask", b"q", timeout=30)
        did["request ask"] += 1
        await js.publish("stored", b"s" * (i % 50))
        did["request stored"] += 1
    for _ in range(n // 10):
        for msg in await puller.fetch(10, timeout=30):
            did["process " + msg.subject] += 1
            await msg.ack()
        did["fetch"] += 1
    try:
        await sender.request("nobody.there", b"", timeout=30)
    except nats.errors.NoRespondersError:
        did["request nobody.there"] += 1
    await asyncio.wait_for(all_heard.wait(), 30)
    for nc in sender, listener, responder:
        await nc.drain()
    print(json.dumps(did), flush=True)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
