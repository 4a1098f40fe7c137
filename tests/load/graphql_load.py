# SPDX-License-Identifier: GPL-3.0-or-later
"""
Operations of GraphQL (gql): graphql_load.py PORT N MIDDLE HTTP. Waits for a line first; with MIDDLE=1 its
connection is in use by then. HTTP is 1 or 2. Prints what it did: [type, name or null, error code or null,
count].
"""
import json
import sys
from collections import Counter

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.httpx import HTTPXTransport

port, n, middle, http2 = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1", sys.argv[4] == "2"
USER = gql("query User($id: ID!) { user(id: $id) { id name } }")
NAMELESS = gql("{ user(id: 1) { name } }")
RENAME = gql("# changes a name\nmutation Rename($id: ID!, $name: String!) {\n  rename(id: $id, name: $name) { ...All }\n}\n"
             "fragment All on User { id name }")
WRONG = gql("query Wrong { nothing }")
did = Counter()


def ask(session, kind, called, document, **values):
    try:
        session.execute(GraphQLRequest(document.document, variable_values=values))
        did[kind, called, None] += 1
    except TransportQueryError as e:
        did[kind, called, e.errors[0].get("extensions", {}).get("code", "_OTHER")] += 1


transport = HTTPXTransport(f"http://127.0.0.1:{port}/graphql", timeout=60, http1=not http2, http2=http2)
with Client(transport=transport) as session:
    if middle:
        ask(session, "query", "User", USER, id=1)
        did.clear()
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(n):
        ask(session, "query", "User", USER, id=i)
        ask(session, "mutation", "Rename", RENAME, id=i, name="x" * (i * 53 % 6000))
        ask(session, "query", None, NAMELESS)
        if i % 4 == 0:
            ask(session, "query", "Wrong", WRONG)
print(json.dumps([[*k, v] for k, v in did.items()]))
