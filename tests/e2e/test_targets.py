# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom obi traces: by pid, by name, by cgroup, what starts later, what a command starts."""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
from collections import Counter

import pytest

from rig.accounts import clean, same, times_are_sane
from rig.obi import OBI, Obi, run as obi_run
from rig.proc import Gate, free_port, listens, wait_for
from rig.servers import Nginx, Postgres, Redis

WAYS = ["plain", "vector", "send", "msg", "mmsg", "peek", "nonblock", "dup", "fork", "pass", "thread",
        "reuse", "sendfile", "uring"]


@pytest.fixture(scope="module")
def nginx():
    with Nginx() as n:
        yield n


def get(port, target="/small", host="127.0.0.1"):
    with socket.create_connection((host, port)) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        out = b""
        while more := s.recv(65536):
            out += more
        return out


def targets(rows):
    return Counter((r["op"], r["target"], r["status"]) for r in rows)


def test_a_thousand_connections_of_one_request_each(nginx, load, folder):
    with Gate(load / "http_load", nginx.port, 1000, 2, folder / "own", "once") as gate, \
         Obi("--show-secrets", pids=[*nginx.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    lines = [line.split("\t") for part in folder.glob("own.*") for line in part.read_text().splitlines()]
    own = Counter(tuple(p[1:4]) for p in lines)
    assert sum(own.values()) == 1000
    same(targets(run.of("client", comm="http_load")), own, "clients")
    same(targets(run.of("server", local_port=nginx.port)), own, "nginx")
    same((r["peer_port"] for r in run.of("server", local_port=nginx.port)), (int(p[0]) for p in lines),
         "connections by port")
    assert len({r["conn"] for r in run.of("server", local_port=nginx.port)}) == 1000


def test_a_thousand_connections_closed_at_once(nginx, load):
    script = "import socket,sys\n" \
             "for i in range(1000):\n" \
             "  s=socket.create_connection(('127.0.0.1',int(sys.argv[1])))\n" \
             "  s.sendall(b'GET /small?i=%d HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' % i); s.recv(4096); s.close()\n"
    with Gate("/usr/bin/python3", "-c", script, nginx.port) as gate, \
         Obi(pids=[*nginx.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    want = Counter(("GET", f"/small?i={i}", "200") for i in range(1000))
    same(targets(run.of("client")), want, "clients")
    same(targets(run.of("server")), want, "nginx")


def test_a_server_that_forks_a_child_per_connection(load):
    port = free_port()
    with Gate(load / "fork_server", port) as server:
        server.go()
        wait_for("fork_server", lambda: listens(port))
        with Obi(pids=[server.pid]) as obi:
            pids = [int(get(port, f"/child?i={i}").split(b"\r\n\r\n")[1]) for i in range(500)]
            run = obi.stop()
    clean(run)
    assert [(r["op"], r["status"]) for r in run.rows] == [("GET", "200")] * 500
    same(((r["target"], r["pid"]) for r in run.rows), ((f"/child?i={i}", p) for i, p in enumerate(pids)),
         "children")


def test_children_are_left_out_with_no_follow(load):
    port = free_port()
    with Gate(load / "fork_server", port) as server:
        server.go()
        wait_for("fork_server", lambda: listens(port))
        with Obi("--no-follow", pids=[server.pid]) as obi:
            for i in range(20):
                get(port)
            run = obi.stop()
    assert run.rows == []


def test_a_command_is_traced_from_its_first_request(load):
    port = free_port()
    out = obi_run("trace", "-o", "json", "--", load / "fork_server", port, 500)
    assert out.returncode == 0, out.stderr
    rows = [json.loads(line) for line in out.stdout.splitlines()]
    assert rows.pop()["summary"]["shown"] == 1000
    want = Counter(("GET", f"/child?i={i}", "200") for i in range(500))
    for kind in ("client", "server"):
        same(targets(r for r in rows if r["kind"] == kind), want, kind)


def test_a_commands_status_is_obis_status():
    assert obi_run("trace", "-o", "json", "--", "sh", "-c", "exit 7").returncode == 7
    assert obi_run("trace", "-o", "json", "--", "sh", "-c", "kill -9 $$").returncode == 128 + 9
    assert obi_run("trace", "-o", "json", "--", "/nowhere/at/all").returncode == 127


def test_a_pid_brings_the_children_that_it_already_has(nginx):
    with Obi(pids=[nginx.pid]) as obi:
        get(nginx.port, "/small?child")
        run = obi.stop()
    same(targets(run.rows), [("GET", "/small?child", "200")], "worker of the master")


@pytest.mark.parametrize("flags", [("--comm", "redis-ser*"), ("--exe", "*/redis-*"), ("--user", "root")])
def test_processes_that_start_later_are_found(flags):
    with Redis(), Obi(*flags) as obi:  # one that is there already: none at all would be an error
        with Redis() as redis:
            subprocess.run(["redis-cli", "-p", str(redis.port), "set", "later", "1"], check=True,
                           stdout=subprocess.DEVNULL)
        run = obi.stop()
    rows = run.of("server", "redis", local_port=redis.port)
    assert [r["op"] for r in rows if r["op"] == "SET"] == ["SET"], run.rows


def test_a_cgroup():
    roots = [p for p in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if os.path.exists(p + "/cgroup.procs")]
    cgroup = pathlib.Path(roots[0], f"obi-e2e-{os.getpid()}")
    cgroup.mkdir()
    try:
        with Redis() as inside, Redis() as outside:
            (cgroup / "cgroup.procs").write_text(str(inside.pid))
            with Obi("--cgroup", cgroup.name, rest=[inside.pid, outside.pid]) as obi:
                for r in (inside, outside):
                    subprocess.run(["redis-cli", "-p", str(r.port), "set", "k", "v"], check=True,
                                   stdout=subprocess.DEVNULL)
                run = obi.stop()
        assert {r["pid"] for r in run.rows} == {inside.pid}
    finally:
        wait_for("the cgroup to empty", lambda: not (cgroup / "cgroup.procs").read_text())
        cgroup.rmdir()


def test_the_whole_host_but_never_itself(nginx):
    with Obi("--all", rest=nginx.pids) as obi:
        for i in range(50):  # not by this process: what obi was started by is never traced
            subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{nginx.port}/small?all={i}"],
                           check=True)
        run = obi.stop()
    want = Counter(("GET", f"/small?all={i}", "200") for i in range(50))
    for kind in ("server", "client"):
        same(targets(r for r in run.of(kind, "http") if "?all=" in r["target"]), want, kind)
    assert not [r for r in run.rows if r["pid"] == obi.pid]


@pytest.mark.parametrize("flags,kinds", [
    (("--side", "client"), {"client"}), (("--side", "server"), {"server"}), (("--port", "{port}"), {"client", "server"}),
    (("--local-port", "{port}"), {"server"}), (("--remote-port", "{port}"), {"client"}),
    (("--port", "1-2"), set()), (("--ip", "127.0.0.0/8"), {"client", "server"}), (("--ip", "10.0.0.0/8"), set()),
    (("--proto", "http"), {"client", "server"}), (("--proto", "redis"), set()), (("--method", "GET"), {"client", "server"}),
    (("--status", "2xx"), {"client", "server"}), (("--status", "404"), set()), (("--path", "/sm*"), {"client", "server"}),
    (("--slower", "10s"), set()), (("--bigger", "10"), {"client", "server"}), (("--errors",), set()),
    (("-F", "proto = 'http' and code < 300 and kind = 'client'"), {"client"}),
], ids=lambda v: " ".join(v) if isinstance(v, tuple) else "")
def test_filters(nginx, flags, kinds):
    with Gate("curl", "-s", f"http://127.0.0.1:{nginx.port}/small") as gate, \
         Obi(*(f.format(port=nginx.port) for f in flags), pids=[*nginx.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    assert run.status == 0, run.err
    assert {r["kind"] for r in run.rows} == kinds
    assert run.summary["shown"] == len(run.rows)


def test_a_connection_that_is_open_already_is_traced_from_its_next_message(nginx):
    with socket.create_connection(("127.0.0.1", nginx.port)) as s:
        s.sendall(b"GET /small?before HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(4096)
        with Obi(pids=nginx.pids) as obi:
            for i in range(10):
                s.sendall(b"GET /small?after=%d HTTP/1.1\r\nHost: x\r\n\r\n" % i)
                s.recv(4096)
            run = obi.stop()
    same(targets(run.rows), [("GET", f"/small?after={i}", "200") for i in range(10)], "after")
    assert all("joined-mid" in r["flags"] for r in run.rows)


@pytest.mark.parametrize("way", WAYS)
def test_each_system_call(nginx, load, way):
    with Gate(load / "calls", nginx.port, way, 40) as gate, \
         Obi(pids=[*nginx.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    if way != "sendfile":
        clean(run)
        times_are_sane(run.rows)
    same(targets(run.of("server")), [("GET", f"/small?{way}={i}", "200") for i in range(40)], "nginx")
    if way != "sendfile":  # what that sends is in no user memory: counted, not read
        same(targets(run.of("client", "http")), [("GET", f"/small?{way}={i}", "200") for i in range(40)], way)


@pytest.mark.parametrize("how", ["send", "msg", "rw", "vec", "fixed", "provided", "multishot", "async", "sqpoll", "zc"])
def test_io_uring_on_both_ends(load, how):
    with Gate(load / "uring", free_port(), how, 100) as gate, Obi(pids=[gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    times_are_sane(run.rows)
    for kind in ("server", "client"):
        same(targets(run.of(kind)), [("GET", f"/{how}?{c}.{i}", "200") for c in range(4) for i in range(100)], kind)


def test_splice_does_not_disturb_the_server(nginx, load):
    with Gate(load / "calls", nginx.port, "splice", 40) as gate, Obi(pids=[*nginx.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    assert run.status == 0
    same(targets(run.of("server")), [("GET", f"/small?splice={i}", "200") for i in range(40)], "nginx")


def test_ipv6():
    port = free_port()
    with Nginx(listen=f"; listen [::1]:{port}") as nginx, Obi(pids=nginx.pids) as obi:
        get(port, "/small?six", "::1")
        run = obi.stop()
    (row,) = run.rows
    assert (row["local_ip"], row["local_port"], row["peer_ip"]) == ("::1", port, "::1")


def test_unix_sockets():
    with Postgres() as pg, Redis() as redis, Obi("--show-secrets", pids=[*pg.pids, redis.pid]) as obi:
        pg.sql("SELECT 'by unix'")
        redis.cli("SET", "unix", "1")
        run = obi.stop()
    assert [r["target"] for r in run.of("server", "postgresql") if r["op"] == "SELECT"] == ["SELECT 'by unix'"]
    assert "SET" in [r["op"] for r in run.of("server", "redis")]


def test_two_obi_on_one_process(nginx):
    with Obi(pids=nginx.pids) as one, Obi(pids=nginx.pids) as two:
        for i in range(200):
            get(nginx.port, f"/small?two={i}")
        runs = one.stop(), two.stop()
    want = Counter(("GET", f"/small?two={i}", "200") for i in range(200))
    for run in runs:
        clean(run)
        same(targets(run.rows), want, "one of two")


def test_a_process_that_ends_leaves_its_rows(nginx):
    with Gate("curl", "-s", f"http://127.0.0.1:{nginx.port}/small?gone") as gate, Obi(pids=[gate.pid]) as obi:
        gate.run()
        with contextlib.suppress(ProcessLookupError):
            run = obi.stop() if obi.process.poll() is None else obi.wait()
    same(targets(run.rows), [("GET", "/small?gone", "200")], "client that ended")


# Runs as the first process of a PID namespace: prints what obi says of a server in it.
IN_NAMESPACE = """
import json, os, socket, subprocess, sys
obi, flags = sys.argv[1], sys.argv[2:]
server = subprocess.Popen([sys.executable, "-uc", '''
import socket
l = socket.create_server(("127.0.0.1", 0))
print(l.getsockname()[1], flush=True)
while True:
    s = l.accept()[0]
    s.recv(4096)
    s.sendall(b"HTTP/1.1 200 OK\\\\r\\\\nContent-Length: 0\\\\r\\\\n\\\\r\\\\n")
    s.close()
'''], stdout=subprocess.PIPE, text=True)
port = server.stdout.readline().strip()
fill = {"PID": str(server.pid), "PORT": port}
run = subprocess.Popen([obi, "trace", "-o", "json", "-d", "60s", *[fill.get(f, f) for f in flags]],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
said = ""
while "attached" not in said:
    line = run.stderr.readline()
    if not line:
        break
    said += line
while "attached" in said and run.poll() is None:
    with socket.create_connection(("127.0.0.1", int(port))) as s:
        s.sendall(b"GET /x HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        s.recv(4096)
out, err = run.communicate()
server.kill()
print(json.dumps({"server": server.pid, "client": os.getpid(), "obi": run.pid, "err": said + err,
                  "rows": [json.loads(l) for l in out.splitlines()]}))
"""


def in_namespace(*flags, mount="--mount-proc", env=None):
    done = subprocess.run(["unshare", "--pid", "--fork", *([mount] if mount else []), "/usr/bin/python3", "-c",
                           IN_NAMESPACE, OBI, *flags], env=dict(os.environ, **(env or {})),
                          capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("without", ["", "sock-tracepoints", "sk-storage"])
def test_in_a_pid_namespace_ids_are_those_of_its_own_proc(without):
    said = in_namespace("-p", "PID", "--count", "3", env={"OBI_WITHOUT": without})
    rows = [r for r in said["rows"] if "summary" not in r]
    assert len(rows) == 3, said["err"]
    assert {(r["pid"], r["kind"], r["comm"]) for r in rows} == {(said["server"], "server", "python3")}


def test_in_a_pid_namespace_only_its_own_processes_are_the_whole():
    said = in_namespace("-a", "--count", "20", "--port", "PORT")
    rows = [r for r in said["rows"] if "summary" not in r]
    assert {(r["pid"], r["kind"]) for r in rows} == {(said["server"], "server"), (said["client"], "client")}
    assert "only its own processes" in said["err"]


def test_a_proc_of_another_pid_namespace_is_refused_in_words():
    said = in_namespace("-a", mount=None)
    assert "/proc is that of another PID namespace" in said["err"] and not said["rows"]
