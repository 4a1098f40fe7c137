# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile input: escape sequences, endless headers, damaged recordings."""
import os
import re
import socket
import subprocess
import threading
import time

import pytest

from rig.obi import Obi, run as obi_run
from rig.proc import Gate, rss_kib
from rig.servers import Nginx, Redis

EVIL = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\xff\xfe\x00\r\x08\xe2\x80\xae"
CONTROL = re.compile(rb"[\x00-\x1f\x7f]|\xc2[\x80-\x9f]")


def resp(*parts):
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


@pytest.mark.parametrize("output", ["text", "json", "csv"])
def test_captured_text_never_reaches_the_terminal_as_it_is(output):
    with Redis() as redis, Nginx() as nginx:
        with Obi("--show-secrets", pids=[redis.pid, *nginx.pids], output=output) as obi:
            with socket.create_connection(("127.0.0.1", redis.port)) as s:
                for message in (resp(b"SET", EVIL, EVIL), resp(b"GET", EVIL), resp(EVIL, b"x")):
                    s.sendall(message)
                    s.recv(65536)  # one after the other: not all in one call
                s.sendall(b"EVIL" + EVIL + b"\r\n")  # an inline command with a NUL is never answered
            with socket.create_connection(("127.0.0.1", nginx.port)) as s:
                s.sendall(b"GET /small?" + EVIL.replace(b"\x00", b"").replace(b"\r", b"") +
                          b" HTTP/1.1\r\nHost: x\r\nUser-Agent: " + EVIL.replace(b"\x00", b"").replace(b"\r", b"") + b"\r\n\r\n")
                s.recv(65536)
            obi.settle()
            obi.process.terminate()
            obi.process.wait(300)
            obi.reader.join(300)
            with open(obi.out.name, "rb") as f:
                text = f.read()
    assert b"SET" in text
    text = text.replace(b"\r\n", b"\n").replace(b"\n", b"").replace(b"\t", b"")  # CSV's lines end with both
    found = CONTROL.search(text)
    assert not found, (found, text[max(found.start() - 100, 0):found.end() + 20])
    text.decode("utf-8")
    assert "\x1b" not in obi.stderr


def test_a_client_that_sends_a_gibibyte_of_headers_costs_bounded_memory():
    class Sink(threading.Thread):
        def run(self):
            fd, _ = self.listener.accept()
            with fd:
                buf = bytearray(1 << 20)
                while fd.recv_into(buf):
                    pass

    sink = Sink(daemon=True)
    sink.listener = socket.create_server(("127.0.0.1", 0))
    sink.start()
    script = "import socket,sys\n" \
             "s=socket.create_connection(('127.0.0.1',int(sys.argv[1])))\n" \
             "s.sendall(b'GET /endless HTTP/1.1\\r\\nHost: x\\r\\n')\n" \
             "line=b'X-Header: ' + b'v'*1000 + b'\\r\\n'\n" \
             "for i in range(1024): s.sendall(line*1037)\n"
    with Gate("/usr/bin/python3", "-c", script, sink.listener.getsockname()[1]) as gate, \
         Obi("--payload", "16K", pids=[gate.pid]) as obi:
        before, top = rss_kib(obi.pid, "RssAnon"), 0
        gate.go()
        while gate.process.poll() is None:
            top = max(top, rss_kib(obi.pid, "RssAnon"))
            time.sleep(0.02)
        run = obi.stop()
    assert run.status == 0
    assert top - before < 32 << 10, (before, top)


def test_garbage_on_every_port_is_survived(load):
    with Redis() as redis, Nginx() as nginx, Obi(pids=[redis.pid, *nginx.pids]) as obi:
        for port in (redis.port, nginx.port):
            for i in range(60):
                with socket.create_connection(("127.0.0.1", port)) as s:
                    s.settimeout(0.02)
                    try:
                        s.sendall(os.urandom(1 + 37 * i))
                        s.recv(4096)
                    except OSError:
                        pass
        subprocess.run(["redis-cli", "-p", str(redis.port), "set", "after", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["curl", "-s", f"http://127.0.0.1:{nginx.port}/small?after"], check=True,
                       stdout=subprocess.DEVNULL)
        run = obi.stop()
    assert run.status == 0, run.err
    assert [r["status"] for r in run.of(proto="http", target="/small?after")] == ["200"]
    assert [r["op"] for r in run.of(proto="redis") if r["op"] == "SET"] == ["SET"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    with Nginx() as nginx:
        for name in ("run.otlp", "run.otlpb", "run.obiraw", "run.db", "run.otlp.zst"):
            with Obi("--show-secrets", "-w", folder / name, pids=nginx.pids) as obi:
                subprocess.run(["curl", "-s"] + [f"http://127.0.0.1:{nginx.port}/small?i={i}" for i in range(200)],
                               stdout=subprocess.DEVNULL)
                obi.stop()
    return folder


@pytest.mark.parametrize("name", ["run.otlp", "run.otlpb", "run.obiraw", "run.db", "run.otlp.zst"])
def test_damaged_recordings_give_a_message_and_keep_what_was_good(recording, folder, name):
    good = (recording / name).read_bytes()
    damaged = {
        "truncated": good[:len(good) * 2 // 3],
        "garbage": os.urandom(5000),
        "mixed": good[:len(good) // 2] + os.urandom(300) + good[len(good) // 2:],
        "empty": b"",
    }
    for what, content in damaged.items():
        path = folder / f"{what}.{name.split('.', 1)[1]}"
        path.write_bytes(content)
        out = obi_run("trace", "-r", path, "-o", "json")
        assert out.returncode in (0, 1), (what, out.returncode, out.stderr)
        if what != "empty":
            assert out.stderr.strip(), what
        if what == "garbage":
            assert out.returncode == 1, (what, out)
        if what == "truncated" and name != "run.db" and not name.endswith("zst"):
            assert out.stdout.count('"/small?') > 50, (what, out.stdout.count('"/small?'), out.stderr)
