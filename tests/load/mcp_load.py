# SPDX-License-Identifier: GPL-3.0-or-later
"""
Requests of the Model Context Protocol (mcp): mcp_load.py PORT N MIDDLE MODE. Waits for a line first; with
MIDDLE=1 its session has begun by then. Prints what it did: [method, name or null, error or null, count];
errors are codes of JSON-RPC, or "tool_error".
"""
import asyncio
import json
import sys
from collections import Counter

from mcp import MCPError
from mcp.client import Client

port, n, middle, mode = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1", sys.argv[4]
did = Counter()


async def ask(method, name, what):
    try:
        result = await what
        did[method, name, "tool_error" if getattr(result, "is_error", False) else None] += 1
    except MCPError as e:
        did[method, name, e.error.code] += 1


async def one(client, i):
    await ask("tools/call", "price", client.call_tool("price", {"item": "x" * (i * 31 % 3000), "n": 1}))
    await ask("tools/call", "refund", client.call_tool("refund", {"n": i}))
    await ask("prompts/get", "greet", client.get_prompt("greet", {"name": "you"}))
    await ask("resources/read", None, client.read_resource(f"shop://stock/{i}", cache_mode="bypass"))
    if i % 4 == 0:
        await ask("tools/list", None, client.list_tools(cache_mode="bypass"))
        await ask("prompts/list", None, client.list_prompts(cache_mode="bypass"))
        await ask("prompts/get", "nobody", client.get_prompt("nobody"))
        await ask("tools/call", "nothing", client.call_tool("nothing", {}))
        await ask("resources/read", None, client.read_resource("none://such", cache_mode="bypass"))
        if mode == "legacy":
            await ask("ping", None, client.send_ping())


async def begin():
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


async def main():
    if not middle:
        await begin()
    async with Client(f"http://127.0.0.1:{port}/mcp", mode=mode, cache=None) as client:
        if middle:
            await ask("ping", None, client.list_tools())
            did.clear()
            await begin()
        else:
            did["tools/list", None, None] += 1  # of its own accord, before the first call
        if mode == "legacy" and not middle:
            did["initialize", None, None] += 1
            did["notifications/initialized", None, None] += 1
        for i in range(n):
            await one(client, i)


asyncio.run(main())
print(json.dumps([[*k, v] for k, v in did.items()]))
