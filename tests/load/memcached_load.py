# SPDX-License-Identifier: GPL-3.0-or-later
"""Does N of each kind of thing with a Memcached server, by libmemcached and by hand.

usage: memcached_load.py PORT N text|binary PAUSE     PAUSE 1: prints "ready" once connected and waits for a line

Prints what it did and got, as JSON: {"GET 1": 100, "ADD NOT_STORED": 10, ...}; GET's
number is of the values that came back."""
import json
import socket
import struct
import sys
from collections import Counter

import pylibmc

SIZES = [0, 1, 100, 5000, 40000, 200000]


def by_library(c, n, did):
    for i in range(n):
        c.set(f"k{i}", "v" * SIZES[i % len(SIZES)])
        did["SET"] += 1
        assert c.get(f"k{i}") is not None
        did["GET 1"] += 1
        assert c.get(f"missing{i}") is None
        did["GET 0"] += 1
        assert not c.add(f"k{i}", "again")
        did["ADD EXISTS" if binary else "ADD NOT_STORED"] += 1
        assert c.replace(f"k{i}", "12")
        did["REPLACE"] += 1
        assert c.incr(f"k{i}", 5) == 17 and c.decr(f"k{i}", 7) == 10
        did["INCR"] += 1
        did["DECR"] += 1
        assert c.append(f"k{i}", "abc") and c.prepend(f"k{i}", "x")
        did["APPEND"] += 1
        did["PREPEND"] += 1
        assert c.touch(f"k{i}", 100)
        did["TOUCH"] += 1
        value, cas = c.gets(f"k{i}")
        did["GET 1"] += 1
        assert c.cas(f"k{i}", "new", cas)
        did["REPLACE" if binary else "CAS"] += 1
        assert c.delete(f"k{i}") and not c.delete(f"k{i}")
        did["DELETE"] += 1
        did["DELETE NOT_FOUND"] += 1
        try:
            c.incr(f"k{i}")
        except pylibmc.NotFound:
            did["INCR NOT_FOUND"] += 1
    c.set_multi({f"m{i}": "x" * SIZES[i % len(SIZES)] for i in range(20)})
    did["SET"] += 20
    for i in range(n // 2):
        assert len(c.get_multi([f"m{k}" for k in range(i % 20, i % 20 + 10)])) == min(10, 20 - i % 20)
        did[f"GET {min(10, 20 - i % 20)}"] += 1
    c.set("words", "no number")
    did["SET"] += 1
    for _ in range(n // 10):
        try:
            c.incr("words")
        except pylibmc.Error:
            did["INCR error"] += 1
    assert c.get_stats()
    c.flush_all()
    did["STATS"] += 1
    did["FLUSH_ALL"] += 1


class Raw:
    """What the library does not offer: quiet commands, meta commands."""

    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", port))
        self.f = self.s.makefile("rb")

    def text(self, n, did):
        for i in range(n):
            self.s.sendall(b"ms raw%d 5 T60\r\nhello\r\nmg raw%d v\r\nmn\r\nset quiet%d 0 0 1 noreply\r\nx\r\n" % (i, i, i))
            assert [self.f.readline() for _ in range(4)] == [b"HD\r\n", b"VA 5\r\n", b"hello\r\n", b"MN\r\n"]
            did.update(["MS", "MG", "MN", "SET"])

    @staticmethod
    def message(op, key=b"", extras=b"", value=b""):
        return struct.pack(">BBHBBHIIQ", 0x80, op, len(key), len(extras), 0, 0, len(extras) + len(key) + len(value),
                           op, 0) + extras + key + value

    def answer(self):
        _, op, _, _, _, status, body = struct.unpack(">BBHBBHI", self.f.read(24)[:12])
        self.f.read(body)
        return op, status

    def binary(self, n, did):
        for i in range(n):
            key = b"raw%d" % i
            self.s.sendall(self.message(0x11, key, bytes(8), b"hello") + self.message(0x12, key, bytes(8), b"again") +
                           self.message(0x09, key) + self.message(0x09, b"missing") + self.message(0x0d, key) +
                           self.message(0x0a) + self.message(0x14, key) + self.message(0x0a))
            # the second one fails, and says so although it is quiet
            assert [self.answer() for _ in range(5)] == [(0x12, 2), (0x09, 0), (0x0d, 0), (0x0a, 0), (0x0a, 0)]
            did.update(["SET", "ADD", "GET 2", "DELETE", "NOOP"])


def main(port, n, pause):
    did = Counter()
    c = pylibmc.Client([f"127.0.0.1:{port}"], binary=binary, behaviors={"cas": True})
    raw = Raw(port)
    c.set("first", "1")
    (raw.binary if binary else raw.text)(1, did)
    did["SET"] += 1
    if pause:
        did.clear()
        print("ready", flush=True)
        sys.stdin.readline()
    by_library(c, n, did)
    (raw.binary if binary else raw.text)(n, did)
    print(json.dumps(did))


binary = sys.argv[3] == "binary"
main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[4] == "1")
