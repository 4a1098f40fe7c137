# SPDX-License-Identifier: GPL-3.0-or-later
"""A running obi: start, wait until it is attached, stop, read what it said."""
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from rig.proc import ROOT, at_rest, wait_for

OBI = os.environ.get("OBI", str(ROOT / "obi"))


class Run:
    """What one run of obi left: rows, summary, stderr, exit status."""

    def __init__(self, path, err, status):
        self.path, self.err, self.status = path, err, status
        self.rows, self.summary = [], None
        with open(path, errors="strict") as f:
            for line in f:
                if line.startswith('{"summary"'):
                    self.summary = json.loads(line)["summary"]
                else:
                    self.rows.append(json.loads(line))

    def lost(self):
        """Everything that was lost, over all stages."""
        def total(v):
            return sum(map(total, v.values())) if isinstance(v, dict) else v
        return total(self.summary["lost"])

    def whole(self):
        """Nothing was lost, and no request ended behind bytes that were cut to keep up."""
        return not self.lost() and not self.summary["requests"]["broken"]

    def of(self, kind=None, proto=None, **columns):
        """Rows with these values; a tuple or set of values means one of them."""
        want = {k: v if isinstance(v, (set, tuple, frozenset, list)) else (v,)
                for k, v in {"kind": kind, "proto": proto, **columns}.items() if v is not None}
        return [r for r in self.rows if all(r[k] in v for k, v in want.items())]


class Obi:
    """`obi trace -o json` on processes; `with` stops it for sure."""

    def __init__(self, *flags, pids=(), command="trace", output="json", env=None, stdout=None,
                 attached=True, preexec_fn=None, rest=()):
        self.argv = [OBI, command]
        if output:
            self.argv += ["-o", output]
        if pids:
            self.argv += ["-p", ",".join(str(p) for p in pids)]
        self.argv += [str(f) for f in flags]
        self.pids = [int(p) for p in (*pids, *rest)]  # `rest`: traced, but not by -p
        self.out = tempfile.NamedTemporaryFile(prefix="obi-out.", delete=False) if stdout is None else None
        self.err, self.ready = [], threading.Event()
        self.process = subprocess.Popen(self.argv, process_group=0, stdin=subprocess.DEVNULL, stdout=self.out or stdout,
                                        stderr=subprocess.PIPE, text=True, errors="replace",
                                        env={**os.environ, **(env or {})}, preexec_fn=preexec_fn)
        self.reader = threading.Thread(target=self.read_err, daemon=True)
        self.reader.start()
        if attached:
            self.wait_attached()

    def read_err(self):
        for line in self.process.stderr:
            self.err.append(line)
            if re.match(r"obi: attached \d+ of \d+ probes", line):
                self.ready.set()
        self.ready.set()

    def wait_attached(self, seconds=60):
        if not self.ready.wait(seconds) or self.process.poll() is not None:
            self.kill()
            raise AssertionError(f"{' '.join(self.argv)}: not attached:\n{self.stderr}")

    @property
    def pid(self):
        return self.process.pid

    @property
    def stderr(self):
        return "".join(self.err)

    def wait(self, seconds=300):
        """Waits for its own end; what it left."""
        status = self.process.wait(seconds)
        self.reader.join(seconds)
        return Run(self.out.name, self.stderr, status) if self.out else status

    def stop(self, sig=signal.SIGINT, seconds=300, busy=False):
        """
        Ends it as a user does; what it left.

        A server whose answer has reached its client may not have returned from the call yet that
        sent it, and only then the call is reported: unless it is kept busy all the time, wait
        until it waits itself.
        """
        if not busy:
            self.settle()
        self.process.send_signal(sig)
        return self.wait(seconds)

    def settle(self):
        """Waits until what it traces waits itself."""
        if self.pids:
            wait_for("the traced processes to be at rest", lambda: at_rest(self.pids))

    def quiet(self, seconds=1):
        """Waits until it has written nothing for so long: for servers that are never at rest."""
        size, since = -1, 0

        def unchanged():
            nonlocal size, since
            now = os.path.getsize(self.out.name)
            if now != size:
                size, since = now, time.monotonic()
            return time.monotonic() - since >= seconds
        wait_for("an end of the rows", unchanged)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        if self.out:
            os.unlink(self.out.name)


def run(*argv, **kw):
    """Runs obi to its end with these arguments; the finished process, output as text."""
    kw.setdefault("timeout", 300)
    return subprocess.run([OBI, *map(str, argv)], capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, **kw)
