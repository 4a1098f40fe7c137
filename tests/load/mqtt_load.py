# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes N messages of each quality of service to an MQTT broker and hears them, with 3.1.1 and 5.0.

usage: mqtt_load.py PORT N PAUSE     PAUSE 1: prints "ready" once subscribed and waits for a line

Prints what it did and got, as JSON: {"publish v4/0": 100, ...}."""
import json
import sys
import threading
from collections import Counter

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

did, lock, all_heard = Counter(), threading.Lock(), threading.Event()


def count(what):
    with lock:
        did[what] += 1
        if sum(n for k, n in did.items() if k.startswith("process")) == 6 * int(sys.argv[2]):
            all_heard.set()


def client(port, name, version):
    c, subscribed = mqtt.Client(name, protocol=version), threading.Event()
    c.on_message = lambda _c, _u, m: count("process " + m.topic)
    c.on_subscribe = lambda *_: subscribed.set()
    c.max_inflight_messages_set(0)
    c.connect("127.0.0.1", port)
    c.loop_start()
    return c, subscribed


def props(i):
    p = Properties(PacketTypes.PUBLISH)
    p.UserProperty = ("traceparent", f"00-{i + 1:032x}-{i + 1:016x}-01")
    return p


def main(port, n, pause):
    v4, heard4 = client(port, "old", mqtt.MQTTv311)
    v5, heard5 = client(port, "new", mqtt.MQTTv5)
    v4.subscribe([("v4/0", 0), ("v4/1", 1), ("v4/2", 2)])
    v5.subscribe("v5/#", 2)
    heard4.wait(30), heard5.wait(30)
    if pause:
        print("ready", flush=True)
        sys.stdin.readline()
    sent = []
    for i in range(n):
        for qos in range(3):
            sent.append(v4.publish(f"v4/{qos}", b"x" * (i * 173 % 40000), qos))
            sent.append(v5.publish(f"v5/{qos}", b"y" * (i % 300), qos, properties=props(i)))
            did[f"publish v4/{qos}"] += 1
            did[f"publish v5/{qos}"] += 1
    for info in sent:
        info.wait_for_publish(30)
    all_heard.wait(30)
    done = threading.Event()
    v4.on_unsubscribe = lambda *_: done.set()
    v4.unsubscribe("v4/0")
    done.wait(30)
    for c in v4, v5:
        c.disconnect()
        c.loop_stop()
    print(json.dumps(did), flush=True)


main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
