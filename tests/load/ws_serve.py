# SPDX-License-Identifier: GPL-3.0-or-later
"""A WebSocket server that sends back what it gets: ws_serve.py PORT ACCOUNT

"reset" begins the account of a connection anew, "fail" closes with 1011. Writes down, for each
connection that has ended: port of the client, messages in, out, their bytes, code of the first Close."""
import asyncio
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


def size(data):
    return len(data.encode() if isinstance(data, str) else data)


async def talk(ws):
    did = [0, 0, 0, 0]
    port, failed = ws.remote_address[1], False
    try:
        async for m in ws:
            if m == "fail":
                did = [did[0] + 1, did[1], did[2] + size(m), did[3]]
                failed = True
                await ws.close(1011, "as asked")
                break
            await ws.send(m)
            did = [0, 0, 0, 0] if m == "reset" else [
                did[0] + 1, did[1] + 1, did[2] + size(m), did[3] + size(m)]
    except ConnectionClosed:
        pass
    print(port, *did, 1011 if failed else ws.close_code, file=account, flush=True)


async def main():
    async with serve(talk, "127.0.0.1", int(sys.argv[1]), ping_interval=None, max_size=None,
                     subprotocols=["chat"]):
        await asyncio.get_running_loop().create_future()


account = open(sys.argv[2], "w")
asyncio.run(main())
