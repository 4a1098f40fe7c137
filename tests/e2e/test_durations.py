# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations by relation: at least the delay that was injected, at most the client's own figure."""
import socket
import statistics
import threading
import time

from rig.accounts import clean, inside, times_are_sane
from rig.obi import Obi
from rig.proc import Gate, free_port
from rig.servers import Nginx, Postgres, Redis

DELAYS = [0.005, 0.02, 0.05]


class SlowUpstream(threading.Thread):
    """Answers /slow?MS after MS milliseconds: head and body apart by that time again."""

    def __init__(self):
        super().__init__(daemon=True)
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.start()

    def run(self):
        while True:
            fd, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(fd,), daemon=True).start()

    @staticmethod
    def serve(fd):
        with fd:
            head = b""
            while b"\r\n\r\n" not in head:
                more = fd.recv(4096)
                if not more:
                    return
                head += more
            ms = int(head.split(b"?", 1)[1].split(b" ", 1)[0])
            time.sleep(ms / 1e3)
            fd.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n")
            time.sleep(ms / 1e3)
            fd.sendall(b"slow")


def test_a_delayed_upstream_bounds_http_spans_from_below():
    upstream = SlowUpstream()
    extra = f"location /slow {{ proxy_pass http://127.0.0.1:{upstream.port}; proxy_buffering off; }}"
    script = "import sys,time,urllib.request as u\n" \
             "for i in range(60):\n" \
             "  t=time.monotonic(); u.urlopen(f'http://127.0.0.1:{sys.argv[1]}/slow?{5 + i % 3 * 20}').read()\n" \
             "  print(time.monotonic()-t)\n"
    with Nginx(extra=extra) as nginx, Gate("/usr/bin/python3", "-c", script, nginx.port) as gate, \
         Obi(pids=[*nginx.pids, gate.pid]) as obi:
        own = [float(x) * 1e3 for x in gate.run().split()]
        run = obi.stop()
    clean(run)
    times_are_sane(run.rows)
    servers = run.of("server", local_port=nginx.port)
    clients = run.of("client", peer_port=nginx.port)
    towards = run.of("client", peer_port=upstream.port)
    assert len(servers) == len(clients) == len(towards) == len(own) == 60
    for r in servers + clients + towards:
        delay = int(r["target"].split("?")[1])
        assert r["dur_ms"] >= 2 * delay, r
        assert r["ttfb_ms"] >= delay, r
    # a reader that is woken late sees head and body closer together than they were sent: not as a rule
    for delay in (25, 45):
        between = [r["dur_ms"] - r["ttfb_ms"] for r in servers + clients + towards if r["target"].endswith(f"?{delay}")]
        assert statistics.median(between) >= delay * 0.9, (delay, sorted(between))
    for r, limit in zip(clients, own):
        assert r["dur_ms"] <= limit, (r, limit)
    inside(servers, clients)


def test_pg_sleep_bounds_postgresql_spans_from_below(folder):
    sql = folder / "sleep.sql"
    sql.write_text("".join(f"SELECT pg_sleep({0.002 * (1 + i % 10)});\n" for i in range(200)))
    with Postgres() as pg, Gate(*pg.psql("-q", "-o", "/dev/null", "-f", sql)) as gate, \
         Obi("--show-secrets", pids=[*pg.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    times_are_sane(run.rows)
    rows = [r for r in run.rows if "pg_sleep" in (r["target"] or "")]
    assert len(rows) == 400
    for r in rows:
        assert r["dur_ms"] >= float(r["target"].split("(")[1].split(")")[0]) * 1e3, r
    inside(*([r for r in rows if r["kind"] == k] for k in ("server", "client")))


def test_blocking_commands_bound_redis_spans_from_below():
    with Redis() as redis, Gate("redis-cli", "-p", redis.port, "-r", "10", "BLPOP", "none", "0.05") as gate, \
         Obi(pids=[redis.pid, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    rows = [r for r in run.rows if r["op"] == "BLPOP"]
    assert len(rows) == 20
    assert all(r["dur_ms"] >= 50 for r in rows), [r["dur_ms"] for r in rows]
