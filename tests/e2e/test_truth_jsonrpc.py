# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON-RPC 2.0 over HTTP: spans of both sides against the accounts of jsonrpclib, one for one."""
from collections import Counter

import pytest

from rig.accounts import same
from rig.load import WAYS, Python, error_of, traced


@pytest.fixture(scope="module", params=WAYS)
def rpc(request):
    return traced(request.param, Python("jsonrpc_serve.py"), "jsonrpc_load.py", 400)


def test_calls_of_json_rpc_equal_both_accounts(rpc):
    assert sum(rpc.did.values()) > 1000
    want = Counter({(m, str(e) if e else None): n for (m, e), n in rpc.did.items()})
    for rows in rpc.both:
        assert {(r["level"], r["proto"], r["status"]) for r in rows} == {("jsonrpc", "http", "200")}
        same(((r["op"], error_of(r)) for r in rows), want, "client's account")
        single = Counter(r["op"] for r in rows if r["op"] != "batch")
        single["echo"] += 2 * want["batch", None]
        same(single, Counter({m: n for (m,), n in rpc.account.items()}), "server's account")


def test_a_call_of_json_rpc_says_what_the_conventions_ask_for(rpc):
    for rows in rpc.both:
        calls = [r for r in rows if r["op"] == "math.div"]
        assert {r["name"] for r in calls} == {"math.div"}
        assert {(r["attrs"]["rpc.system.name"], r["attrs"]["rpc.method"]) for r in calls} == {("jsonrpc", "math.div")}
        assert len({r["attrs"]["jsonrpc.request.id"] for r in calls}) == len(calls)
        assert {r["attrs"]["rpc.response.status_code"] for r in calls if r["error"]} == {"-32603"}
        assert not any("jsonrpc.request.id" in r["attrs"] for r in rows if r["op"] == "log")
