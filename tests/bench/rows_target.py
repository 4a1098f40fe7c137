# SPDX-License-Identifier: GPL-3.0-or-later
"""rows_target - what it costs the traced process, and those that are not traced."""
import contextlib
import os
import socket
import subprocess
import time

from measure import (BUILT, ROUNDS, TARGET_CPU, bare_on, cpu_ns, guarded, median, nothing, obi_on, output, popen,
                     profile, rounds, spent_by, worker, wrk)
from rig.proc import end, free_port, listens, wait_for
from rig.servers import Nginx, Postgres, Redis, PG_BIN

ON = {"none": nothing, "none again": nothing, "obi": obi_on, "bare": bare_on}


def socket_pair(variant):
    """ns per socket operation of a process that is traced."""
    p = popen(BUILT / "syscalls", "sock", 200000, "wait", cpu=TARGET_CPU, stdin=subprocess.PIPE,
              stdout=subprocess.PIPE, text=True)
    pid = int(p.stdout.readline())
    with ON[variant](pid):
        out, _ = p.communicate("\n")
    return float(out) / 2


def row_1():
    """probe cost per captured event, against the bare probe"""
    got = guarded(socket_pair, ["bare", "obi"])
    none, bare, obi = (median(got[v]) for v in ("none", "bare", "obi"))
    ratio = (obi - none) / (bare - none)
    return f"{obi - none:.0f} ns, bare {bare - none:.0f} ns: {ratio:.2f}x", "<= 1.6x", ratio <= 1.6


def row_2():
    """CPU of nginx per request"""
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)

        def measure(variant):
            with ON[variant](pid):
                before = cpu_ns(pid)
                n, p50, p99 = wrk(nginx.port)
                return (cpu_ns(pid) - before) / n / 1e3, n / 2, p50, p99
        got = guarded(measure, ["bare", "obi"], key=lambda x: x[0])
        both = {v: profile(ON[v](pid), lambda: wrk(nginx.port)) for v in ("bare", "obi")}
    col = {v: [median(x[i] for x in got[v]) for i in range(4)] for v in got}
    more = col["obi"][0] - col["none"][0]
    met = more <= 1.6 or more / col["none"][0] <= 0.23
    where = "" if met else "; profile, with the calls of the load generator: " + "; ".join(both.values())
    return (f"{col['none'][0]:.2f} us, +{more:.2f} us (+{100 * more / col['none'][0]:.0f}%), bare"
            f" +{col['bare'][0] - col['none'][0]:.2f}; requests/s {col['none'][1]:.0f} -> {col['obi'][1]:.0f},"
            f" p50 {col['none'][2]:.0f} -> {col['obi'][2]:.0f} us, p99 {col['none'][3]:.0f} ->"
            f" {col['obi'][3]:.0f} us{where}"), "<= +1.6 us, <= +23%", met


def throughput(start, load):
    """Operations a second and p50 without and with obi; `load(server)` gives both."""
    with start() as server:
        def measure(variant):
            with (obi_on(server.pid) if variant == "obi" else nothing()):
                return load(server)
        got = rounds(measure, ["none", "obi"], max(ROUNDS // 2, 3))
    rate = [median(x[0] for x in got[v]) for v in ("none", "obi")]
    late = [median(x[1] for x in got[v]) for v in ("none", "obi")]
    return (f"{rate[0]:.0f} -> {rate[1]:.0f} a second ({rate[1] / rate[0]:.2f}x),"
            f" latency {late[0]:.3f} -> {late[1]:.3f} ms"), "reported", True


def row_2_postgresql():
    """PostgreSQL, pgbench -S on one core"""
    def load(server):
        text = output(PG_BIN / "pgbench", "-n", "-S", "-c", 4, "-T", 3, "-h", "127.0.0.1", "-p", server.port,
                      "-U", "postgres", "postgres")
        words = {line.split(" = ")[0]: line.split(" = ")[1].split()[0] for line in text.splitlines() if " = " in line}
        return float(words["tps"]), float(words["latency average"])

    class Filled(Postgres):
        def wait_ready(self):
            super().wait_ready()
            output(PG_BIN / "pgbench", "-i", "-q", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "postgres")
    return throughput(Filled, load)


def row_2_redis():
    """Redis, redis-benchmark"""
    def load(server):
        text = output("redis-benchmark", "-p", server.port, "-c", 16, "-t", "set", "-n", 100000, "-d", 64, "--csv")
        f = [x.strip('"') for x in text.splitlines()[-1].split(",")]
        return float(f[1]), float(f[4])
    return throughput(Redis, load)


@contextlib.contextmanager
def service():
    """The service with a handler of a millisecond."""
    port = free_port()
    p = popen(BUILT / "service", "serve", port, 1000, cpu=TARGET_CPU)
    try:
        wait_for("the service", lambda: listens(port))
        yield p.pid, port
    finally:
        end(p)


def row_3():
    """a handler of 1 ms at 500 requests a second"""
    with service() as (pid, port):
        def measure(variant):
            with ON[variant](pid):
                _, qps, p50, p99 = output(BUILT / "service", "load", port, 500, 3, 8).split()
                return float(p50), float(qps), float(p99)
        got = guarded(measure, ["obi"], key=lambda x: x[0])
    p50, qps = ([median(x[i] for x in got[v]) for v in ("none", "obi")] for i in (0, 1))
    a, b = p50[1] / p50[0], qps[1] / qps[0]
    return f"p50 {p50[0]:.0f} -> {p50[1]:.0f} us ({a:.3f}x), rate {b:.3f}x", "p50 <= 1.02x, rate >= 0.99x", \
        a <= 1.02 and b >= 0.99


def untraced(op, calls, variants=("obi",)):
    """ns per call that each adds from another process, then without; the best rounds, which noise hides least."""
    sleeper = subprocess.Popen(["sleep", "1000"])

    def measure(variant):
        with ON[variant](sleeper.pid):
            return float(output(BUILT / "syscalls", op, calls, cpu=TARGET_CPU))
    try:
        got = guarded(measure, list(variants))
    finally:
        end(sleeper)
    return *(min(got[v]) - min(got["none"]) for v in variants), min(got["none"])


def row_5():
    """tax on calls of processes that are not traced: getppid, read, write"""
    got = {op: untraced(op, 500000) for op in ("getppid", "read", "write")}
    worst = max(d for d, _ in got.values())
    return ", ".join(f"{op} {d:+.1f} of {n:.0f} ns" for op, (d, n) in got.items()), "<= +5 ns", worst <= 5


def row_6():
    """tax on socket operations of processes that are not traced"""
    more, bare, none = untraced("sock", 300000, ("obi", "bare"))
    return f"{more / 2:+.0f} of {none / 2:.0f} ns (a probe that compares one number: {bare / 2:+.0f})", "<= +130 ns", more / 2 <= 130


def row_20():
    """1,000 other processes in the list of targets"""
    sleepers = [subprocess.Popen(["sleep", "1000"]) for _ in range(1000)]
    others = [p.pid for p in sleepers]
    try:
        with Nginx(workers=1) as nginx:
            pid = worker(nginx)

            def measure(variant):
                with obi_on(pid, *(others if variant == "many" else ())):
                    before = cpu_ns(pid)
                    n = wrk(nginx.port)[0]
                    return (cpu_ns(pid) - before) / n / 1e3
            got = rounds(measure, ["one", "many"], 5)
            start = time.monotonic()
            with obi_on(*others[:500]):
                took = time.monotonic() - start
    finally:
        for p in sleepers:
            p.kill()
            p.wait()
    ratio = median(got["many"]) / median(got["one"])
    return f"{ratio:.3f}x per request, 500 attached in {took:.2f} s", "<= 1.05x, <= 1 s", ratio <= 1.05 and took <= 1


ECHO = """
import os, socket
at = socket.create_server(("127.0.0.1", 0))
print(at.getsockname()[1], flush=True)
while True:
    c, _ = at.accept()
    while got := c.recv(65536):
        c.sendall(got)
"""


def exchange(port, connections, messages, size=128):
    """Messages of random bytes and their echoes; one event each way for every message."""
    for _ in range(connections):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(messages):
                s.sendall(os.urandom(size))
                left = size
                while left:
                    left -= len(s.recv(left))


def row_25():
    """probes, for each event of a connection that nobody knows, against one that is muted"""
    server = popen("/usr/bin/python3", "-c", ECHO, cpu=TARGET_CPU, stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    # 256 messages of 128 bytes each way are 64 KiB: all that is looked at before giving up
    load = {"unknown": lambda: exchange(port, 40, 256), "muted": lambda: exchange(port, 1, 10240)}
    ns = {}
    try:
        for which in ("muted", "unknown"):
            with obi_on(server.pid):
                spent = spent_by(load[which])
            ns[which] = sum(t for t, _ in spent.values()) / 20480
    finally:
        end(server)
    ratio = ns["unknown"] / ns["muted"]
    return f"{ns['unknown']:.0f} ns, muted {ns['muted']:.0f} ns: {ratio:.2f}x", "<= 2x", ratio <= 2
