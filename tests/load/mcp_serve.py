# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the Model Context Protocol (mcp), streamable HTTP at /mcp: mcp_serve.py PORT ACCOUNT STYLE

STYLE json: answers are JSON, else events. Writes down what it was asked for: tool, prompt or resource."""
import sys

from mcp.server.mcpserver import MCPServer

account = open(sys.argv[2], "w")
server = MCPServer("shop", log_level="ERROR")


def note(*what):
    print(*what, file=account, flush=True)


@server.tool()
def price(item: str, n: int) -> str:
    note("tools/call", "price")
    return item * n


@server.tool()
def refund(n: int) -> str:
    note("tools/call", "refund")
    raise ValueError(f"no refund of {n}")


@server.prompt()
def greet(name: str) -> str:
    note("prompts/get", "greet")
    return f"hello {name}"


@server.resource("shop://stock/{item}")
def stock(item: str) -> str:
    note("resources/read", "-")
    return item


server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]), json_response=sys.argv[3] == "json")
