# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads and servers of tests/load that keep accounts of their own, in the Python of the clients."""
import contextlib
import json
import os
import subprocess
from collections import Counter

from rig.accounts import clean, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, end
from rig.servers import Server

WAYS = ["from the start", "in the middle"]


class Load:
    """A client that waits for a line, then prints as JSON what it did; ready: its connections may be open."""

    def __init__(self, name, *args, env=None):
        argv = [os.environ["CLIENTS"], ROOT / "tests/load" / name, *args]
        self.process = subprocess.Popen([str(a) for a in argv], text=True, env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.pid = self.process.pid

    def ready(self):
        assert self.process.stdout.readline() == "ready\n"

    def run(self):
        out, _ = self.process.communicate("\n", timeout=300)
        assert not self.process.returncode
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)


class Python(Server):
    """A server of tests/load that writes down what it was asked for, a line each."""

    def __init__(self, name, *args):
        super().__init__()
        self.name, self.args = name, args

    def command(self):
        return [os.environ["CLIENTS"], ROOT / "tests/load" / self.name, self.port, self.dir / "account", *self.args]

    def mark(self):
        self.skip = (self.dir / "account").stat().st_size

    def account(self):
        with open(self.dir / "account") as f:
            f.seek(self.skip)
            return Counter(tuple(line.split()) for line in f)


def traced(way, server, load, n, *args):
    """One run: rows of the client and of the server (one that runs already is left running), and what each counted."""
    middle = way == WAYS[1]
    with contextlib.nullcontext() if server.process else server, Load(load, server.port, n, int(middle), *args) as client:
        client.ready()
        server.mark()
        with Obi(pids=[server.pid, client.pid]) as obi:
            did = client.run()
            obi.quiet()
            run = obi.stop(busy=True)
        run.account = server.account()
    run.did = Counter({tuple(k): n for *k, n in did})
    run.middle = middle
    run.both = [run.of("client", pid=client.pid), run.of("server", pid=server.pid)]
    clean(run)
    for rows in run.both:
        times_are_sane(rows)
    return run


def error_of(row):
    return row["error_type"] if row["error"] else None
