# SPDX-License-Identifier: GPL-3.0-or-later
"""Says everything that AMQP 0-9-1 has to a broker by pika, N rounds of it.

usage: amqp_load.py PORT N PAUSE     PAUSE 1: prints "ready" once connected and waits for a line

Prints what it did and got, as JSON: {"publish orders:eu.new": 100, ...}."""
import json
import sys
from collections import Counter

import pika
from pika.exceptions import AMQPError

did = Counter()


def published(ch, exchange, key, body, **properties):
    did["publish " + ":".join(p for p in (exchange, key) if p)] += 1
    ch.basic_publish(exchange, key, body, pika.BasicProperties(**properties))


def called(ch, method, *args, op=None, topic=None, **kw):
    did[op + (" " + topic if topic else "")] += 1
    return getattr(ch, method)(*args, **kw)


def connect(port):
    did["connect"] += 1
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0))


def channel(c):
    did["channel.open"] += 1
    return c.channel()


def declare(ch):
    called(ch, "exchange_declare", "orders", "topic", op="exchange.declare", topic="orders")
    for name in "work", "asked", "sure", "whole", "refused":
        called(ch, "queue_declare", name, op="queue.declare", topic=name)
    called(ch, "queue_bind", "work", "orders", "eu.#", op="queue.bind", topic="work")
    called(ch, "basic_qos", prefetch_count=50, op="qos")


def rounds(n, ch, sure, whole):
    for i in range(n):
        trace = f"00-{i + 1:032x}-{i + 1:016x}-01"
        published(ch, "orders", "eu.new", b"x" * (i * 331 % 20000), message_id=f"m{i}",
                  headers={"traceparent": trace, "n": i})
        published(ch, "", "asked", b"a" * (i % 9))
        published(sure, "", "sure", b"s")
        got = called(ch, "basic_get", "asked", op="get", topic="asked")
        while got[0] is None:
            got = called(ch, "basic_get", "asked", op="get", topic="asked")
        called(ch, "basic_ack", got[0].delivery_tag, op="ack")
        if i % 10 == 0:
            published(whole, "", "whole", b"w")
            called(whole, "tx_commit", op="tx.commit")
            published(whole, "", "whole", b"w")
            called(whole, "tx_rollback", op="tx.rollback")
            called(ch, "basic_get", "refused", op="get", topic="refused")
    published(ch, "", "work", b"z" * 300000, message_id="long")


def consume(ch, n):
    def heard(ch, method, properties, body):
        did["deliver " + ":".join(p for p in (method.exchange, method.routing_key) if p)] += 1
        how = method.delivery_tag % 5
        if how == 3:
            called(ch, "basic_nack", method.delivery_tag, requeue=False, op="nack")
        elif how == 4:
            called(ch, "basic_reject", method.delivery_tag, requeue=False, op="reject")
        else:
            called(ch, "basic_ack", method.delivery_tag, op="ack")

    tag = called(ch, "basic_consume", "work", heard, op="consume", topic="work")
    while sum(v for k, v in did.items() if k.startswith("deliver")) < n + 1:
        ch.connection.process_data_events(time_limit=1)
    called(ch, "basic_cancel", tag, op="cancel")


def fails(c, op, topic, method, *args, **kw):
    ch = channel(c)
    try:
        called(ch, method, *args, op=op, topic=topic, **kw)
    except AMQPError:
        pass


def rest(c, ch, sure):
    called(ch, "basic_recover", True, op="recover")
    fails(c, "queue.declare", "nope", "queue_declare", "nope", passive=True)
    fails(c, "exchange.declare", "amq.topic", "exchange_declare", "amq.topic", "fanout")
    for name in "one", "two":
        called(ch, "exchange_declare", name, "fanout", op="exchange.declare", topic=name)
    called(ch, "exchange_bind", "two", "one", op="exchange.bind", topic="two")
    called(ch, "exchange_unbind", "two", "one", op="exchange.unbind", topic="two")
    called(ch, "exchange_delete", "one", op="exchange.delete", topic="one")
    called(ch, "queue_unbind", "work", "orders", "eu.#", op="queue.unbind", topic="work")
    called(ch, "queue_purge", "sure", op="queue.purge", topic="sure")
    called(ch, "queue_delete", "whole", op="queue.delete", topic="whole")
    did["publish nowhere"] += 1
    did["return nowhere"] += 1
    try:
        sure.basic_publish("", "nowhere", b"x", mandatory=True)
    except AMQPError:
        pass


def main(port, n, pause):
    c = connect(port)
    ch, sure, whole = channel(c), channel(c), channel(c)
    declare(ch)
    called(sure, "confirm_delivery", op="confirm.select")
    called(whole, "tx_select", op="tx.select")
    if pause:
        did.clear()
        print("ready", flush=True)
        sys.stdin.readline()
    rounds(n, ch, sure, whole)
    consume(ch, n)
    rest(c, ch, sure)
    for each in ch, sure, whole:
        called(each, "close", op="channel.close")
    did["connection.close"] += 1
    c.close()
    print(json.dumps(did), flush=True)


main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
