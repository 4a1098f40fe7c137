# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes: ports, pids, waiting, a command that waits for its start."""
import contextlib
import os
import pathlib
import random
import select
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]


PORTS = list(range(15000, 32000))  # below those that the kernel gives to clients
random.shuffle(PORTS)


def free_port():
    """A loopback port that nobody listens on, that no client is given, and never the same twice."""
    while True:
        port = PORTS.pop()
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port


def wait_for(what, test, seconds=120.0):
    """Asks test() until it is true; fails with the name of what was waited for."""
    end = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {seconds} s")
        time.sleep(0.02)


def listens(port):
    with socket.socket() as s:
        s.settimeout(30)
        return s.connect_ex(("127.0.0.1", port)) == 0


def family(pid):
    """pid and all that descend from it."""
    parents = {}
    for d in os.listdir("/proc"):
        if d.isdigit():
            with contextlib.suppress(OSError):
                text = pathlib.Path("/proc", d, "stat").read_text()
                parents.setdefault(int(text.rsplit(")", 1)[1].split()[1]), []).append(int(d))
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        todo += parents.get(p, [])
    return out


class Held:
    """Processes held on to: where one ends, its number may soon be another one's."""

    def __init__(self, pids):
        self.fds = []
        for pid in pids:
            with contextlib.suppress(OSError):
                self.fds.append(os.pidfd_open(pid))

    def alive(self):
        return len(self.fds) - len(select.select(self.fds, [], [], 0)[0])

    def kill(self):
        for fd in self.fds:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(fd, signal.SIGKILL)
            os.close(fd)
        self.fds = []


def at_rest(pids):
    """No thread of these and of what descends from them runs or is about to."""
    for pid in {p for root in pids for p in family(root)}:
        for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                if stat.read_text().rsplit(")", 1)[1].split()[0] not in "SZTXt":
                    return False
    return True


def crowded():
    """Whether others want the processors too: then no rate can be asked for."""
    running = []
    for _ in range(50):
        running.append(int(pathlib.Path("/proc/loadavg").read_text().split()[3].split("/")[0]) - 1)
        time.sleep(0.01)
    return sum(running) / len(running) > 0.3


def rss_kib(pid, field="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def end(process, seconds=60):
    """Ends a child: politely, then for sure."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Gate:
    """A command whose process exists, with its final pid, before it begins."""

    def __init__(self, *argv, env=None, cwd=None, stdin=None):
        self.argv = [str(a) for a in argv]
        self.stdin = stdin
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r _; exec "$@"' + (f' <"{stdin}"' if stdin else ""), "gate",
             *self.argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=env, cwd=cwd)
        self.pid = self.process.pid

    def go(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
            self.process.stdin.close()
            self.process.stdin = None

    def run(self, check=True, timeout=500):
        """Lets it begin, waits for its end; its output as text."""
        self.go()
        try:
            out, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        text = out.decode(errors="replace")
        if check and self.process.returncode:
            raise AssertionError(f"{self.argv} ended with {self.process.returncode}:\n{text[-2000:]}")
        return text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)


class Client:
    """A client whose connections obi sees from the start or in the middle.

    From the start it exists with its final pid and begins when run() says so. In the middle it has
    said "ready" by itself: its connections are open, and it waits for a line.
    """

    def __init__(self, *argv, middle=False, inside=(), env=None):
        gate = () if middle else ("/bin/sh", "-c", 'read -r _; exec "$@"', "gate")
        self.process = subprocess.Popen([str(a) for a in (*inside, *gate, *argv)], text=True, env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.pid = self.process.pid
        if middle and self.process.stdout.readline() != "ready\n":
            end(self.process)
            raise AssertionError(f"{argv} did not become ready:\n{self.process.stderr.read()[-2000:]}")

    def run(self, stdin="", check=True, timeout=300):
        """Gives it its line and this after it, waits for its end; what it printed."""
        out, self.err = self.process.communicate("\n" + stdin, timeout=timeout)
        self.code = self.process.returncode
        if check and self.code:
            raise AssertionError(f"{self.process.args} ended with {self.code}:\n{self.err[-2000:]}")
        return out

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
