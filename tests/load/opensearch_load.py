# SPDX-License-Identifier: GPL-3.0-or-later
"""
Requests to OpenSearch (opensearch-py): opensearch_load.py PORT N MIDDLE. Waits for a line first; with MIDDLE=1
its connection is in use by then. Prints what it did: [endpoint, index or null, status, kind of error or null,
count], as the client names the endpoint.
"""
import json
import sys
from collections import Counter

from opensearchpy import OpenSearch
from opensearchpy.exceptions import TransportError

port, n, middle = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
client = OpenSearch(f"http://127.0.0.1:{port}", timeout=60, max_retries=0, pool_maxsize=1)
did = Counter()


def ask(name, index=None, **args):
    call = client
    for part in name.split("."):
        call = getattr(call, part)
    if index is not None:
        args["index"] = index
    try:
        result = call(**args)
        did[name, index, 404 if result is False else 200, None] += 1
        return result
    except TransportError as e:
        did[name, index, e.status_code, e.error if isinstance(e.info, dict) and "error" in e.info else str(e.status_code)] += 1


if middle:
    ask("info")
    did.clear()
print("ready", flush=True)
sys.stdin.readline()
ask("ping")
ask("info")
ask("indices.create", "orders", body={"settings": {"number_of_shards": 1, "number_of_replicas": 0}})
ask("cluster.health")
for i in range(n):
    ask("index", "orders", id=str(i), body={"n": i, "error": {"type": "none"}, "text": "x" * (i * 37 % 3000)})
    ask("get", "orders", id=str(i))
    ask("get", "orders", id="none")
    ask("exists", "orders", id=str(i))
    ask("search", "orders", body={"query": {"match": {"n": i}}})
    if i % 4 == 0:
        ask("bulk", body=[{"index": {"_index": "lines"}}, {"n": i}, {"delete": {"_index": "lines", "_id": "none"}}])
        ask("update", "orders", id=str(i), body={"doc": {"n": 1}})
        ask("count", "orders")
        ask("mget", "orders", body={"ids": ["1", "2"]})
        ask("msearch", body=[{"index": "orders"}, {"query": {"match_all": {}}}])
        ask("delete", "orders", id=str(i))
        ask("indices.refresh", "orders")
        ask("indices.get_mapping", "orders")
        ask("indices.exists", "orders")
        ask("search", "nothing", body={"query": {"match_all": {}}})
        ask("search", "orders", body={"query": {"wrong": {}}})
ask("delete_by_query", "orders", body={"query": {"match_all": {}}})
ask("cat.indices")
ask("indices.delete", "lines")
ask("indices.delete", "orders")
print(json.dumps([[*k, v] for k, v in did.items()]))
