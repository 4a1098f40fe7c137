# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of GraphQL (ariadne in hypercorn; HTTP/1.1 and HTTP/2 in clear text): graphql_serve.py PORT ACCOUNT

Writes down type and name of each operation, and whether it failed, as the library has them."""
import asyncio
import sys

from ariadne import MutationType, QueryType, make_executable_schema
from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLHTTPHandler
from graphql import GraphQLError, parse
from hypercorn.asyncio import serve
from hypercorn.config import Config

account = open(sys.argv[2], "w")
query, mutation = QueryType(), MutationType()


@query.field("user")
def user(_, info, id):
    if int(id) % 5 == 0:
        raise GraphQLError("no such user", extensions={"code": "NOT_FOUND"})
    return {"id": id, "name": "n" * int(id)}


@mutation.field("rename")
def rename(_, info, id, name):
    return {"id": id, "name": name}


class Handler(GraphQLHTTPHandler):
    async def execute_graphql_query(self, request, data, **kw):
        success, result = await super().execute_graphql_query(request, data, **kw)
        try:
            first = parse(data["query"]).definitions[0]
            kind, name = first.operation.value, first.name.value if first.name else "-"
        except GraphQLError:
            kind, name = "broken", "-"
        print(kind, name, int("errors" in result), file=account, flush=True)
        return success, result


schema = make_executable_schema("""
    type Query { user(id: ID!): User }
    type Mutation { rename(id: ID!, name: String!): User }
    type User { id: ID!, name: String! }
""", query, mutation)
config = Config()
config.bind = [f"127.0.0.1:{sys.argv[1]}"]
config.loglevel = "ERROR"
config.keep_alive_max_requests = 1 << 20
asyncio.run(serve(GraphQL(schema, http_handler=Handler()), config))
