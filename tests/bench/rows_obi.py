# SPDX-License-Identifier: GPL-3.0-or-later
"""rows_obi - what obi itself needs, carries and shows."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

from measure import BUILT, OBI, OTHER_CPU, Noise, cpu_ns, median, obi_on, output, pin, popen, worker, wrk
from rig.obi import Obi
from rig.proc import ROOT, end, free_port, listens, rss_kib, wait_for
from rig.servers import Nginx


BASE = 4000  # requests a second between bursts: ten times as many is what one core of nginx can answer


@contextlib.contextmanager
def folder():
    d = tempfile.mkdtemp(prefix="obi-bench.")
    try:
        yield pathlib.Path(d)
    finally:
        shutil.rmtree(d)


def threads_ns(pid):
    """CPU time by name of the thread."""
    return {(t / "comm").read_text().strip(): int((t / "schedstat").read_text().split()[0])
            for t in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def summary_of(*pids, flags=(), load=None):
    """The summary of a run whose rows are all filtered out."""
    with Obi("--status", "599", *flags, pids=pids, preexec_fn=pin(OTHER_CPU)) as obi:
        load(obi)
        return obi.stop().summary


def row_8():
    """user space per event: a recording to spans and rows in the store"""
    with folder() as d, Nginx(workers=1) as nginx:
        pid = worker(nginx)
        s = summary_of(pid, flags=("--show-secrets", "-w", d / "run.obiraw"), load=lambda _: wrk(nginx.port, 3))
        events, took = s["ring"]["records"], []
        for _ in range(5):
            before = os.times()
            subprocess.run([OBI, "sql", "-r", d / "run.obiraw", "-o", "csv", "select count(*) from spans"],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            after = os.times()
            took.append(after.children_user + after.children_system - before.children_user - before.children_system)
    us = median(took) / events * 1e6
    return f"{us:.2f} us, {1 / us:.2f} M events/s and core ({events} events)", "<= 3 us", us <= 3


def row_9():
    """obi's CPU per request at 10,000 requests a second"""
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)
        with obi_on(pid) as obi:
            before = threads_ns(obi.pid)
            n = int(output(BUILT / "service", "load", nginx.port, 10000, 4, 16).split()[0])
            each = {k: (t - before.get(k, 0)) / n / 1e3 for k, t in threads_ns(obi.pid).items()}
            us = sum(each.values())
    return f"{us:.2f} us ({', '.join(f'{k} {t:.2f}' for k, t in each.items())})", "<= 8 us", us <= 8


def row_10():
    """loss at full load of one core, 30 s, and in bursts of ten times as many requests for 200 ms"""
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)
        s = summary_of(pid, load=lambda _: wrk(nginx.port, 30))

        b = summary_of(pid, load=lambda _: output(BUILT / "service", "burst", nginx.port, BASE, 10, 64))
    ring, rate = s["ring"], s["ring"]["fired"] / 30
    exact = all(x["ring"]["fired"] == x["ring"]["records"] + x["ring"]["lost"] for x in (s, b))
    if rate < 100000:
        raise Noise(f"the load only gave {rate:.0f} events/s; lost {ring['lost']}")
    lost = ring["lost"] + b["ring"]["lost"]
    return f"{rate / 1e3:.0f} k events/s, bursts {BASE} -> {10 * BASE} requests/s, lost {lost}, accounts {'exact' if exact else 'WRONG'}", \
        "0 lost at 100 k/s", exact and not lost


def lateness(nginx, pid, load):
    """ms from the end of a request to its row, for all rows that come while load() runs."""
    r, w = os.pipe()
    late = []

    def read():
        with os.fdopen(r) as rows:
            for line in rows:
                at = time.time_ns()
                if line.startswith('{"time"'):
                    row = json.loads(line)
                    late.append((at - row["start_ns"]) / 1e6 - row["dur_ms"])
    thread = threading.Thread(target=read)
    with obi_on(pid, output="json", stdout=w):
        os.close(w)
        thread.start()
        load()
    thread.join()
    return sorted(late)


def row_11():
    """from a request's end to its row on stdout, p99"""
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)

        def slowly():
            for _ in range(8):
                time.sleep(1)
                output("curl", "-s", f"http://127.0.0.1:{nginx.port}/small")
        slow = lateness(nginx, pid, slowly)
        fast = lateness(nginx, pid, lambda: output(BUILT / "service", "load", nginx.port, 2000, 3, 8))
    a, b = slow[len(slow) * 99 // 100], fast[len(fast) * 99 // 100]
    return f"{a:.0f} ms at 1 a second, {b:.0f} ms at 2,000", "<= 100 ms", max(a, b) <= 100


def row_12():
    """from exec to the first row"""
    took = []
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)
        load = popen(BUILT / "service", "load", nginx.port, 500, 60, 2)
        time.sleep(0.3)
        try:
            for _ in range(7):
                r, w = os.pipe()
                start = time.monotonic()
                with obi_on(pid, output="json", stdout=w, attached=False):
                    os.close(w)
                    with os.fdopen(r) as rows:
                        rows.readline()
                        took.append((time.monotonic() - start) * 1e3)
        finally:
            end(load)
    return f"{median(took):.0f} ms (worst {max(took):.0f})", "<= 300 ms", median(took) <= 300


def row_13():
    """requests seen of a server that forks a child per connection"""
    out = subprocess.run([OBI, "trace", "-o", "json", "--", BUILT / "fork_server", str(free_port()), "500"],
                         capture_output=True, text=True)
    rows = [json.loads(x) for x in out.stdout.splitlines()]
    n = sum(r.get("kind") == "server" and r["status"] == "200" for r in rows)
    return f"{n} of 500", "100%", n == 500


def maps_kib(pid):
    """Memory of the maps that a process holds."""
    ids = set()
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            ids.update(re.findall(r"^map_id:\s+(\d+)", info.read_text(), re.M))
    maps = json.loads(output("bpftool", "-j", "map", "show"))
    return sum(m["bytes_memlock"] for m in maps if str(m["id"]) in ids) / 1024


def row_14():
    """anonymous memory: idle, and after 1,000,000 requests"""
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)
        with obi_on(pid) as obi:
            time.sleep(1)
            idle, n = rss_kib(obi.pid, "RssAnon") / 1024, 0
            while n < 1000000:
                n += wrk(nginx.port, 5)[0]
            full = rss_kib(obi.pid, "RssAnon") / 1024
    return f"{idle:.1f} MiB, {full:.1f} MiB after {n} requests", "<= 25 MiB, <= 70 MiB", idle <= 25 and full <= 70.4


def row_15():
    """kernel memory: maps and ring"""
    with Nginx(workers=1) as nginx, obi_on(worker(nginx)) as obi:
        mib = maps_kib(obi.pid) / 1024
    return f"{mib:.1f} MiB", "<= 24 MiB", mib <= 24


def row_16():
    """size of the static, stripped program"""
    static = ROOT / ".out/static/obi"
    if not static.exists():
        raise Noise("not built: make static")
    mb = static.stat().st_size / 1e6
    return f"{mb:.2f} MB", "<= 8 MB", mb <= 8


def row_17():
    """rows into the store, against SQLite with the same columns"""
    text = output(BUILT / "store_bench", 500000)
    obi, plain, indexed = map(float, re.search(r"obi (\d+), sqlite (\d+) \(.*\), with 2 indexes (\d+)", text).groups())
    return f"{obi / 1e6:.2f} M rows/s: {obi / indexed:.1f}x, without indexes {obi / plain:.1f}x", ">= 0.8x", \
        obi / indexed >= 0.8


def row_19():
    """spans encoded as OTLP"""
    text = output(BUILT / "otlp_bench")
    got = {m[1]: float(m[2]) for m in re.finditer(r"(?m)^(?:encode|write)\s+(\S+)\s+([\d.]+) M spans/s", text)}
    return ", ".join(f"{k} {v:.2f}" for k, v in got.items()) + " M/s", ">= 1 M/s", max(got.values()) >= 1


def row_21():
    """10,000 open connections"""
    with Nginx(workers=1) as nginx:
        pid = worker(nginx)
        with obi_on(pid) as obi:
            def cost():
                before, n = cpu_ns(obi.pid), int(output(BUILT / "service", "load", nginx.port, 4000, 3, 10).split()[0])
                return (cpu_ns(obi.pid) - before) / n / 1e3
            cost()
            few, memory = cost(), rss_kib(obi.pid, "RssAnon")
            herd = popen(BUILT / "service", "herd", nginx.port, 10000, stdout=subprocess.PIPE)
            try:
                herd.stdout.readline()
                time.sleep(1)
                more = (rss_kib(obi.pid, "RssAnon") - memory) / 10000 * 1024
                many = cost()
            finally:
                end(herd)
    return f"{few:.2f} -> {many:.2f} us a request ({many / few:.2f}x), {more:.0f} B a connection", \
        "<= 1.2x, <= 1 KiB", many / few <= 1.2 and more <= 1024


def row_23():
    """a clean build on all cores"""
    with folder() as d:
        archive = subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE)
        subprocess.run(["tar", "x", "-C", d], stdin=archive.stdout, check=True)
        start = time.monotonic()
        subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "obi"], cwd=d, check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - start
    return f"{took:.0f} s", "<= 60 s", took <= 60


def row_24():
    """events a second of one core by protocol, from the kernel's record to the span"""
    rows = [line.split() for line in output(BUILT / "proto_bench").splitlines()]
    each = {name: (int(events) / int(ns) * 1e3, int(spans)) for name, events, spans, _, ns in rows}
    known = {p["name"] for p in map(json.loads, output(OBI, "protocols", "-o", "json").splitlines())
             if not p.get("over")}
    silent = sorted(known - {name for name, (_, spans) in each.items() if spans})
    text = ", ".join(f"{name} {rate:.2f} M" for name, (rate, _) in sorted(each.items(), key=lambda x: -x[1][0]))
    return text + (f"; no span of {', '.join(silent)}" if silent else ""), "a span of each", not silent
