# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop under load, signals, full disks, closed pipes: the application never notices."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import termios
import threading
import time

import pytest

from rig.accounts import clean
from rig.obi import OBI, Obi, run as obi_run
from rig.proc import Gate, end, wait_for
from rig.servers import Nginx


@pytest.fixture(scope="module")
def nginx():
    with Nginx() as n:
        yield n


class Traffic(threading.Thread):
    """wrk against nginx, for as long as the test lasts; its failures are the application's."""

    def __init__(self, port, seconds):
        super().__init__()
        self.argv = ["wrk", "-t1", "-c8", "--timeout", "60s", f"-d{seconds}s", f"http://127.0.0.1:{port}/small"]
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        end(self.process)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=300)
        assert "Socket errors" not in out and "Non-2xx" not in out, out
        assert int(re.search(r"(\d+) requests in", out)[1]) > 0, out


def held():
    """(kind, id) of each program, map and link that a living process has open."""
    out = set()
    for info in pathlib.Path("/proc").glob("[0-9]*/fdinfo/*"):
        with contextlib.suppress(OSError):
            out.update(re.findall(r"^(prog|map|link)_id:\s+(\d+)", info.read_text(), re.M))
    return {(kind, int(n)) for kind, n in out}


def kernel_objects():
    """Programs, maps and links in the kernel that no living process holds."""
    out = set()
    for kind in ("prog", "map", "link"):
        text = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, text=True).stdout
        out |= {(kind, o["id"]) for o in json.loads(text or "[]")}
    return out - held()


def nothing_left(before):
    wait_for("the kernel to free what obi used", lambda: kernel_objects() <= before)


def test_attach_and_detach_fifty_times_under_load(nginx):
    before = kernel_objects()
    with Traffic(nginx.port, 500) as traffic:
        for i in range(50):
            with Obi("-q", pids=nginx.pids, output=["json", "text", "csv"][i % 3],
                     stdout=subprocess.DEVNULL) as obi:
                time.sleep(0.02 * (i % 4))
                assert obi.stop([signal.SIGINT, signal.SIGTERM][i % 2], busy=True) == 0, obi.stderr
        traffic.stop()
    nothing_left(before)


# chown, dac_override, dac_read_search, fowner, setgid, setuid; kill, sys_ptrace, sys_nice, perfmon, bpf
TO_WRITE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7
TO_CAPTURE = TO_WRITE | 1 << 5 | 1 << 19 | 1 << 23 | 1 << 38 | 1 << 39


def rights(pid):
    """CapEff, CapPrm and CapBnd of every thread, as one set of bits."""
    out = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith(("CapEff", "CapPrm", "CapBnd")):
                out |= int(line.split()[1], 16)
    return out


@contextlib.contextmanager
def sleeper(program):
    with subprocess.Popen([program, "-c", "input()"], stdin=subprocess.PIPE) as p:
        yield p
        p.stdin.close()


def test_what_attaching_alone_needs_is_given_up(folder):
    script = "import socket,sys\n" \
             "s=socket.create_connection(('127.0.0.1',int(sys.argv[1]))); s.sendall(b'GET /late HTTP/1.1\\r\\n" \
             "Host: x\\r\\n\\r\\n'); s.recv(4096)\n"
    name = folder / "later"
    os.symlink("/usr/bin/python3", name)
    with Nginx() as late, sleeper(name), Obi("--comm", "later", "-w", folder / "r.otlp", "--rotate", "64K") as obi:
        # the main thread waits: every other one came after the attaching
        threads = {int(t.name) for t in pathlib.Path(f"/proc/{obi.process.pid}/task").iterdir()}
        assert len(threads) > 2
        assert rights(obi.process.pid) & ~TO_CAPTURE == 0, hex(rights(obi.process.pid))
        subprocess.run([name, "-c", script, str(late.port)], check=True)  # a target that starts now
        wait_for("its row", lambda: b"/late" in pathlib.Path(obi.out.name).read_bytes())
        run = obi.stop()
    assert [r["target"] for r in run.of("client")] == ["/late"] and not run.lost()


def test_a_recording_is_read_without_any_rights_but_to_write(folder):
    with open(folder / "in", "wb") as f, \
         subprocess.Popen([OBI, "trace", "-r", "-", "-o", "json"], stdin=subprocess.PIPE,
                          stdout=f, stderr=subprocess.DEVNULL) as obi:
        obi.stdin.write(b'{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}\n' * 4000)
        obi.stdin.flush()
        wait_for("threads", lambda: len(list(pathlib.Path(f"/proc/{obi.pid}/task").iterdir())) > 2)
        wait_for("all of them to give up their rights", lambda: not rights(obi.pid) & ~TO_WRITE)
        obi.stdin.close()


def test_kill_9_leaves_nothing(nginx):
    before = kernel_objects()
    with Traffic(nginx.port, 500) as traffic:
        for _ in range(5):
            with Obi(pids=nginx.pids, stdout=subprocess.DEVNULL) as obi:
                time.sleep(0.2)
                obi.kill()
        traffic.stop()
    nothing_left(before)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_a_summary(nginx, sig):
    before = kernel_objects()
    with Obi(pids=nginx.pids) as obi:
        subprocess.run(["curl", "-s", f"http://127.0.0.1:{nginx.port}/small"], stdout=subprocess.DEVNULL)
        run = obi.stop(sig)
    clean(run)
    assert len(run.rows) == 1 and run.summary["seen"] == 1
    assert "seen 1" in run.err and "lost 0" in run.err
    assert all(len(line) <= 80 for line in run.err.splitlines()), run.err
    nothing_left(before)


def test_a_second_interrupt_ends_it_at_once(nginx):
    """The first one waits for the output, which nobody reads."""
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    with Traffic(nginx.port, 500) as traffic, Obi(pids=nginx.pids, stdout=write) as obi:
        wait_for("a full pipe", lambda: int.from_bytes(fcntl.ioctl(read, termios.FIONREAD, bytes(4)), sys.byteorder) > 2000)
        obi.process.send_signal(signal.SIGINT)
        wait_for("the end", lambda: obi.process.send_signal(signal.SIGINT) or obi.process.poll() is not None)
        traffic.stop()
    os.close(read)
    os.close(write)
    assert obi.process.returncode == 130


def test_a_signal_that_comes_twice_at_once_is_one(nginx):
    """timeout sends it to its child, and then to the group that the child is in."""
    for _ in range(5):
        p = subprocess.run(["timeout", "-s", "INT", "--preserve-status", "1", OBI, "trace", "-p", str(nginx.pids[0])],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert p.returncode == 0, p.stderr


def asked(obi):
    """Asks for the summary; what was just sent may not be in it yet."""
    obi.process.send_signal(signal.SIGUSR1)
    time.sleep(0.1)
    return obi.process.poll() is None


def test_sigusr1_prints_the_summary_and_goes_on(nginx):
    url = f"http://127.0.0.1:{nginx.port}/small"
    with Obi(pids=nginx.pids) as obi:
        subprocess.run(["curl", "-s", url], stdout=subprocess.DEVNULL)
        wait_for("the summary", lambda: asked(obi) and "seen 1" in obi.stderr)
        subprocess.run(["curl", "-s", url], stdout=subprocess.DEVNULL)
        run = obi.stop()
    clean(run)
    assert len(run.rows) == 2


def test_ctrl_z_and_fg(nginx):
    url = f"http://127.0.0.1:{nginx.port}/small"
    with Obi(pids=nginx.pids) as obi:
        obi.process.send_signal(signal.SIGTSTP)
        wait_for("it to stop", lambda: pathlib.Path(f"/proc/{obi.pid}/stat").read_text().rsplit(
            ")", 1)[1].split()[0] == "T")
        for _ in range(20):
            subprocess.run(["curl", "-s", url], stdout=subprocess.DEVNULL, check=True)
        obi.process.send_signal(signal.SIGCONT)
        run = obi.stop()
    clean(run)
    assert len(run.rows) == 20


def test_a_closed_pipe_ends_it_quietly(nginx):
    r, w = os.pipe()
    with Obi(pids=nginx.pids, stdout=w) as obi:
        os.close(w)
        os.close(r)
        with Traffic(nginx.port, 500) as traffic:
            assert obi.process.wait(300) == 0
            traffic.stop()
    assert "ERROR" not in obi.stderr.upper().replace("ERRORS", ""), obi.stderr


@pytest.fixture
def small_disk(folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("name", ["run.otlp", "run.otlpb", "run.db", "run.otlp.zst"])
def test_a_full_disk_stops_the_recording_not_the_capture(nginx, small_disk, load, folder, name):
    with Gate(load / "http_load", nginx.port, 6000, 1, "/tmp/obi-e2e-own", "keep") as gate, \
         Obi("-w", small_disk / name, pids=nginx.pids) as obi:
        gate.run()
        run = obi.stop()
    for p in pathlib.Path("/tmp").glob("obi-e2e-own.*"):
        p.unlink()
    assert run.status == 1, run.err
    assert len(run.of("server", local_port=nginx.port)) == 6000
    assert re.search(r"space|disk", run.err) and re.search(r"\d", run.err), run.err
    assert (small_disk / name).stat().st_size > 10000


def test_rotation(nginx, load, folder):
    with Gate(load / "http_load", nginx.port, 5000, 1, folder / "own", "keep") as gate, \
         Obi("-w", folder / "run.otlp", "--rotate", "256K", "--keep", "4", pids=nginx.pids) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    files = sorted(folder.glob("run*.otlp*"))
    assert 2 <= len(files) <= 5, files
    assert all(f.stat().st_size <= 260 << 10 for f in files), [(f, f.stat().st_size) for f in files]
    shown = 0
    for f in files:
        out = obi_run("trace", "-r", f, "-o", "json")
        assert out.returncode == 0, out.stderr
        shown += json.loads(out.stdout.splitlines()[-1])["summary"]["shown"]
    assert 0 < shown <= len(run.rows)


def test_it_ends_after_a_duration_or_a_count(nginx):
    start = time.monotonic()
    out = obi_run("trace", "-o", "json", "-p", nginx.pids[0], "-d", "500ms")
    assert out.returncode == 0 and 0.5 <= time.monotonic() - start < 60
    with Obi("--count", 3, pids=nginx.pids) as obi, Traffic(nginx.port, 500) as traffic:
        run = obi.wait()
        traffic.stop()
    assert run.status == 0 and len(run.rows) == 3


def test_the_recording_belongs_to_the_user_behind_sudo(nginx, folder):
    os.chmod(folder, 0o777)
    with Obi("-w", folder / "mine.otlp", pids=nginx.pids,
             env={"SUDO_UID": "65534", "SUDO_GID": "65534"}) as obi:
        obi.stop()
    st = (folder / "mine.otlp").stat()
    assert (st.st_uid, st.st_gid, st.st_mode & 0o777) == (65534, 65534, 0o600)


def test_a_row_is_shown_within_100_ms_also_at_one_request_a_second(nginx):
    """Beside what a process that sleeps is late by itself here, measured in between."""
    r, w = os.pipe()
    with Obi(pids=nginx.pids, stdout=w) as obi:
        os.close(w)
        late, own = [], []
        with os.fdopen(r) as rows:
            for i in range(12):
                before = time.monotonic_ns()
                time.sleep(0.25)
                own.append(time.monotonic_ns() - before - 250e6)
                subprocess.run(["curl", "-s", f"http://127.0.0.1:{nginx.port}/small"],
                               stdout=subprocess.DEVNULL)
                row = json.loads(rows.readline())
                late.append(time.time_ns() - row["start_ns"] - row["dur_ms"] * 1e6)
        assert sorted(late)[-4] < 100e6 + 4 * max(own), (late, own)
