# SPDX-License-Identifier: GPL-3.0-or-later
"""GraphQL over HTTP/1 and 2: spans of both sides against the accounts of gql and ariadne, one for one."""

import pytest

from rig.accounts import same
from rig.load import WAYS, Python, error_of, traced


@pytest.fixture(scope="module", params=[(WAYS[0], "1"), (WAYS[0], "2"), (WAYS[1], "2")],
                ids=lambda p: f"{p[0]} HTTP/{p[1]}")
def graphql(request):
    way, version = request.param
    run = traced(way, Python("graphql_serve.py"), "graphql_load.py", 320, version)
    run.proto = "http" if version == "1" else "http2"
    return run


def test_operations_of_graphql_equal_both_accounts(graphql):
    assert sum(graphql.did.values()) > 1000
    for rows in graphql.both:
        assert {(r["level"], r["proto"]) for r in rows} == {("graphql", graphql.proto)}
        # what HTTP/2 has sent before tracing began is not known, and never guessed
        early = {None} if graphql.proto == "http2" and graphql.middle else set()
        assert {r["target"] for r in rows} | early == {"/graphql"} | early
        same(((r["op"], r["attrs"].get("graphql.operation.name"), error_of(r)) for r in rows), graphql.did,
             "client's account")
        same(((r["op"], r["attrs"].get("graphql.operation.name", "-"), str(int(r["error"]))) for r in rows), graphql.account,
             "server's account")


def test_an_operation_of_graphql_has_its_name(graphql):
    for rows in graphql.both:
        assert {r["name"] for r in rows} == {"query User", "query Wrong", "query", "mutation Rename"}
        assert {r["attrs"]["graphql.operation.type"] for r in rows} == {"query", "mutation"}
        assert {r["attrs"].get("error.message") for r in rows if r["error_type"] == "NOT_FOUND"} == {"no such user"}
