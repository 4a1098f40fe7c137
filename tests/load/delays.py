#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""delays.py - HTTP with known delays: the server logs those it inserts, the client when it sends and receives

usage: delays.py server PORT LOG
       delays.py client PORT LOG REQUESTS THREADS PAUSE-MS MIX     MIX: slow, fast
"""
import random
import socket
import sys
import threading
import time

# route: delay in ms from .. to, share of failures
MIXES = {
    "slow": {"/api/quick/": (10, 12, 0), "/api/slow/": (20, 60, 0.1), "/api/report/": (110, 130, 0.3)},
    "fast": {"/api/quick/": (0, 0, 0), "/api/slow/": (0, 0, 0.1), "/api/report/": (0, 0, 0.3)},
}


def head(s, rest):
    while b"\r\n\r\n" not in rest:
        more = s.recv(65536)
        if not more:
            return None, b""
        rest += more
    one, rest = rest.split(b"\r\n\r\n", 1)
    return one.decode(), rest


def answer(s, log):
    rest = b""
    while True:
        request, rest = head(s, rest)
        if request is None:
            return
        target = request.split()[1]
        _, ms, status = target.rsplit("/", 1)[1].split("-")
        if float(ms):
            time.sleep(float(ms) / 1e3)
        log.write(f"{target}\t{status}\t{ms}\n")
        log.flush()
        s.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode())


def server(port, path):
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=128)
    log = open(path, "w")
    while True:
        s, _ = listener.accept()
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=answer, args=(s, log), daemon=True).start()


def ask(port, log, thread, n, pause, mix):
    dice = random.Random(thread)
    s = socket.create_connection(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    local = s.getsockname()[1]
    rest = b""
    for i in range(n):
        route = dice.choices(list(mix), (6, 3, 1))[0]
        low, high, failing = mix[route]
        status = 500 if dice.random() < failing else 200
        target = f"{route}{thread * 1000000 + i}-{dice.uniform(low, high):.3f}-{status}"
        sent = time.monotonic_ns()
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got, rest = head(s, rest)
        while len(rest) < 2:
            rest += s.recv(65536)
        rest = rest[2:]
        log.append(f"{target}\t{status}\t{sent}\t{time.monotonic_ns()}\t{local}\n")
        time.sleep(pause / 1e3)
    s.close()


def client(port, path, n, threads, pause, mix):
    sys.stdin.readline()  # until the traffic may begin
    log = []
    all_ = [threading.Thread(target=ask, args=(int(port), log, i, int(n) // int(threads), float(pause), MIXES[mix]))
            for i in range(int(threads))]
    for t in all_:
        t.start()
    for t in all_:
        t.join()
    open(path, "w").writelines(log)


if __name__ == "__main__":
    {"server": server, "client": client}[sys.argv[1]](*sys.argv[2:])
