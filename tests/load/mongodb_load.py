# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a MongoDB server by pymongo with N rounds of every kind of command.

usage: mongodb_load.py PORT N PAUSE     PAUSE 1: prints "ready" once connected and waits for a line

Prints what pymongo's own listener counted, as JSON: [[command, database, collection, error code or 0,
documents returned or null, times], ...]."""
import json
import sys
from collections import Counter

import pymongo
from pymongo import monitoring
from pymongo.errors import PyMongoError

did, started = Counter(), {}


class Account(monitoring.CommandListener):
    def started(self, e):
        first = next(iter(e.command.values()))
        name = first if isinstance(first, str) else e.command.get("collection")
        started[e.request_id] = e.command_name, e.database_name, name

    def succeeded(self, e):
        r = e.reply
        error = r["writeErrors"][0]["code"] if r.get("writeErrors") else 0
        batch = r.get("cursor", {}).get("firstBatch", r.get("cursor", {}).get("nextBatch"))
        rows = len(batch) if batch is not None else None
        did[(*started.pop(e.request_id), error, rows)] += 1

    def failed(self, e):
        did[(*started.pop(e.request_id), e.failure.get("code") or -1, None)] += 1


def attempt(call, *args, **kw):
    try:
        return call(*args, **kw)
    except PyMongoError:
        return None


def every_round(db, i):
    o = db.orders
    o.insert_one({"_id": i, "item": f"item {i % 7}", "n": i % 10})
    attempt(o.insert_one, {"_id": i})
    o.find_one({"_id": i, "$or": [{"n": {"$gte": 0}}, {"item": "x"}]})
    o.update_one({"_id": i}, {"$set": {"n": i}})
    o.find_one_and_update({"_id": i}, {"$inc": {"n": 1}})
    list(o.aggregate([{"$match": {"item": "item 1"}}, {"$group": {"_id": "$n"}}]))
    o.estimated_document_count()
    if i % 3 == 0:
        o.distinct("item", {"n": i})
        o.delete_one({"_id": i})
        attempt(db.command, "nonsense", 1)
    if i % 10 == 0:
        db.lines.insert_many([{"text": "z" * (300 if i % 20 else 90)} for _ in range(100)])
        list(db.lines.find().limit(30).batch_size(10))
        cursor = db.lines.find(batch_size=3)
        next(cursor)
        cursor.close()


def administer(client):
    db, admin = client.shop, client.admin
    db.create_collection("made")
    db.made.create_index([("a", 1)])
    list(db.made.list_indexes())
    db.made.drop_index("a_1")
    db.list_collection_names()
    client.list_database_names()
    attempt(db.command, "dbStats")
    attempt(db.command, "collStats", "made")
    attempt(db.validate_collection, "made")
    attempt(db.made.rename, "renamed")
    for name in "serverStatus", "buildInfo", "ping", "hello", "isMaster":
        attempt(admin.command, name)
    attempt(admin.command, "endSessions", [])
    db.renamed.drop()
    client.drop_database("gone")


def main(port, n, pause):
    client = pymongo.MongoClient("127.0.0.1", port, directConnection=True, event_listeners=[Account()],
                                 heartbeatFrequencyMS=600000)
    client.admin.command("ping")
    if pause:
        did.clear()
        print("ready", flush=True)
        sys.stdin.readline()
    for i in range(n):
        every_round(client.shop, i)
        if i % 10 == 0:
            client.admin.command("ping")
    administer(client)
    client.close()
    print(json.dumps([[*k, n] for k, n in did.items()]))


main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
