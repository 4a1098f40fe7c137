# SPDX-License-Identifier: GPL-3.0-or-later
"""MCP over HTTP: spans of both sides against the accounts of its Python SDK, one for one."""
from collections import Counter

import pytest

from rig.accounts import same
from rig.load import WAYS, Python, error_of, traced


@pytest.fixture(scope="module", params=[(WAYS[0], "legacy", "events"), (WAYS[1], "legacy", "events"),
                                        (WAYS[1], "2026-07-28", "json")], ids=" ".join)
def mcp(request):
    way, mode, style = request.param
    run = traced(way, Python("mcp_serve.py", style), "mcp_load.py", 200, mode)
    run.mode, run.style = mode, style
    return run


def subject(row):
    return row["attrs"].get("gen_ai.tool.name") or row["attrs"].get("gen_ai.prompt.name")


def test_requests_of_mcp_equal_both_accounts(mcp):
    assert sum(mcp.did.values()) > 1000
    want = Counter()
    for (method, name, error), n in mcp.did.items():
        want[method, name, None if error is None else str(error)] += n
    for rows in mcp.both:
        rows = [r for r in rows if r["op"] not in ("GET", "DELETE")]
        assert {(r["level"], r["proto"], r["target"]) for r in rows} == {("mcp", "http", "/mcp")}
        same(((r["op"], subject(r), error_of(r)) for r in rows), want, "client's account")
        mine = Counter((r["op"], subject(r) or "-") for r in rows if not r["error"] or subject(r) == "refund")
        same({k: n for k, n in mine.items() if k in mcp.account}, mcp.account, "server's account")


def test_a_request_of_mcp_says_what_the_conventions_ask_for(mcp):
    for rows in mcp.both:
        calls = [r for r in rows if r["op"] == "tools/call"]
        assert {r["name"] for r in calls} == {"tools/call price", "tools/call refund", "tools/call nothing"}
        assert {(r["attrs"]["mcp.method.name"], r["attrs"]["gen_ai.operation.name"]) for r in calls} == {
            ("tools/call", "execute_tool")}
        assert all(r["attrs"]["jsonrpc.request.id"] for r in calls)
        assert all(r["attrs"]["mcp.protocol.version"] for r in calls)
        assert {len({r["attrs"].get("mcp.session.id") for r in calls})} == {1}
        read = {r["attrs"]["mcp.resource.uri"] for r in rows if r["op"] == "resources/read"}
        assert len(read) > 200 and "shop://stock/7" in read
