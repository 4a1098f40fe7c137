# SPDX-License-Identifier: GPL-3.0-or-later
"""Talks to ws_serve.py over connections of two kinds: ws_load.py PORT CONNECTIONS MESSAGES PAUSE

PAUSE 1: the connections are open before it prints "ready" and waits for a line. Prints, as JSON, for
each connection: its port, whether it may be compressed, frames, messages and bytes it sent,
code and reason of its Close."""
import asyncio
import json
import sys

import aiohttp
import websockets


class Plain:
    """aiohttp; without compression."""

    packed = False

    def __init__(self, session, ws):
        self.session, self.ws = session, ws
        self.port = ws.get_extra_info("sockname")[1]

    @classmethod
    async def open(cls, port):
        session = aiohttp.ClientSession()
        ws = await session.ws_connect(f"ws://127.0.0.1:{port}/plain?token=secret", protocols=["chat"],
                                      max_msg_size=0)
        return cls(session, ws)

    async def exchange(self, data):
        await (self.ws.send_str if isinstance(data, str) else self.ws.send_bytes)(data)
        assert (await self.ws.receive()).data == data
        return 1

    async def ping(self):
        await self.ws.ping(b"alive")

    async def close(self, code, reason):
        await self.ws.close(code=code, message=reason.encode())
        await self.session.close()

    async def fail(self):
        await self.ws.send_str("fail")
        assert (await self.ws.receive()).type == aiohttp.WSMsgType.CLOSE
        await self.session.close()

    async def drop(self):
        self.ws._response.connection.transport.abort()
        await self.session.close()


class Packed:
    """websockets; with permessage-deflate, and messages in several frames."""

    packed = True

    def __init__(self, ws):
        self.ws = ws
        self.port = ws.local_address[1]

    @classmethod
    async def open(cls, port):
        return cls(await websockets.connect(f"ws://127.0.0.1:{port}/packed", subprotocols=["chat"],
                                            ping_interval=None, max_size=None))

    async def exchange(self, data):
        parts = [data[:5], data[5:9], data[9:]] if len(data) > 9 else [data]
        await self.ws.send(parts if len(parts) > 1 else data)
        assert await self.ws.recv() == data
        return len(parts) + 1 if len(parts) > 1 else 1  # the last frame of such a message is empty

    async def ping(self):
        await (await self.ws.ping(b"alive"))

    async def close(self, code, reason):
        await self.ws.close(code, reason)

    async def fail(self):
        await self.ws.send("fail")
        await self.ws.wait_closed()

    async def drop(self):
        self.ws.transport.abort()
        await self.ws.wait_closed()


async def talk(c, i, messages):
    did = {"port": c.port, "packed": c.packed, "frames": 0, "messages": 0, "bytes": 0, "pings": 0}
    for n in range(messages):
        size = 70000 if n == 50 else (i * 131 + n * 37) % 700
        data = "ä" * (size // 2) if n % 2 else bytes(size)
        did["frames"] += await c.exchange(data)
        did["messages"] += 1
        did["bytes"] += len(data.encode() if isinstance(data, str) else data)
        if n % 10 == 0:
            await c.ping()
            did["pings"] += 1
    way = i // 2 % 4
    if way == 0:
        await c.close(1000, "done")
        return did | {"code": 1000, "reason": "done"}
    if way == 1:
        await c.fail()
        return did | {"frames": did["frames"] + 1, "messages": messages + 1, "bytes": did["bytes"] + 4,
                      "code": 1011, "reason": "as asked"}
    if way == 2:
        await c.close(4001, "")
        return did | {"code": 4001, "reason": None}
    await c.drop()
    return did | {"code": 1006, "reason": None}


async def main(port, connections, messages, pause):
    cs = [await (Packed if i % 2 else Plain).open(port) for i in range(connections)] if pause else []
    for c in cs:
        await c.exchange("reset")
    if pause:
        print("ready", flush=True)
        sys.stdin.readline()
    cs = cs or [await (Packed if i % 2 else Plain).open(port) for i in range(connections)]
    print(json.dumps(await asyncio.gather(*(talk(c, i, messages) for i, c in enumerate(cs)))))


asyncio.run(main(*map(int, sys.argv[1:])))
