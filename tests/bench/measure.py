# SPDX-License-Identifier: GPL-3.0-or-later
"""measure - rounds that alternate, CPU time of processes, programs that are pinned to a CPU."""
import contextlib
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))

from rig.obi import OBI, Obi  # noqa: E402,F401
from rig.proc import ROOT, end  # noqa: E402

BUILT = ROOT / ".out/bench"
ROUNDS = int(os.environ.get("ROUNDS", "7"))
TARGET_CPU, OTHER_CPU = 0, min(1, max(os.sched_getaffinity(0)))
median = statistics.median


class Noise(Exception):
    """The same measurement twice differed by more than 5%: no verdict."""


def pin(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def popen(*argv, cpu=OTHER_CPU, **kw):
    return subprocess.Popen([str(a) for a in argv], preexec_fn=pin(cpu), **kw)


def output(*argv, cpu=OTHER_CPU):
    return subprocess.run([str(a) for a in argv], preexec_fn=pin(cpu), check=True, capture_output=True,
                          text=True).stdout


def cpu_ns(pid):
    """CPU time of all threads that a process has now."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


@contextlib.contextmanager
def obi_on(*pids, flags=(), **kw):
    """obi on another CPU, its rows thrown away."""
    kw.setdefault("stdout", subprocess.DEVNULL)
    kw.setdefault("output", "text")
    with Obi(*flags, pids=pids, preexec_fn=pin(OTHER_CPU), **kw) as obi:
        yield obi
        if obi.process.poll() is None:
            obi.process.send_signal(signal.SIGINT)
            obi.process.wait(60)


@contextlib.contextmanager
def bare_on(pid):
    """The least that a tracer can do, on the same process."""
    p = popen(BUILT / "bare", BUILT / "bare.o", pid, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        p.stderr.readline()
        yield p
    finally:
        end(p)


def programs():
    """Run time and number of runs of each program of obi and of the bare probe."""
    return {p["name"]: (p.get("run_time_ns", 0), p.get("run_cnt", 0))
            for p in json.loads(output("bpftool", "-j", "prog", "show"))
            if p.get("name", "").startswith(("obi_", "bare_"))}


def spent_by(load):
    """Run time and number of runs of each program while load() runs."""
    output("sysctl", "-qw", "kernel.bpf_stats_enabled=1")
    try:
        before = programs()
        load()
        after = programs()
    finally:
        output("sysctl", "-qw", "kernel.bpf_stats_enabled=0")
    return {k: (t - before[k][0], n - before[k][1]) for k, (t, n) in after.items() if k in before}


def profile(on, load):
    """Where the nanoseconds of the probes go while load() runs: a run of each program, and its part of all."""
    with on:
        spent = spent_by(load)
    total = sum(t for t, _ in spent.values()) or 1
    return ", ".join(f"{k} {t / n:.0f} ns ({100 * t / total:.0f}%)"
                     for k, (t, n) in sorted(spent.items(), key=lambda x: -x[1][0]) if n and t > total / 50)


@contextlib.contextmanager
def nothing(*_):
    yield None


def rounds(measure, variants, n=ROUNDS):
    """measure(variant) for each variant in turn, n times; lists by variant. One more to warm up."""
    out = {v: [] for v in variants}
    measure(variants[0])
    for _ in range(n):
        for v in variants:
            out[v].append(measure(v))
    return out


def guarded(measure, variants, n=ROUNDS, key=lambda x: x, tries=3):
    """rounds() with "none" measured twice; Noise where both differ by more than 5%, three times over."""
    for _ in range(tries):
        got = rounds(measure, ["none", *variants, "none again"], n)
        ratio = median(map(key, got["none"])) / median(map(key, got["none again"]))
        if 0.95 <= ratio <= 1.05:
            got["none"] += got.pop("none again")
            return got
    raise Noise(f"the same twice differs: {ratio:.3f}")


def wrk(port, seconds=2, conns=16, path="/small"):
    """wrk on the other CPU: requests, p50 and p99 in microseconds."""
    text = output("wrk", "-t1", f"-c{conns}", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}{path}")
    unit = {"us": 1.0, "ms": 1e3, "s": 1e6}

    def us(percent):
        m = re.search(rf"(?m)^\s+{percent}%\s+([\d.]+)(us|ms|s)", text)
        return float(m[1]) * unit[m[2]]
    return int(re.search(r"(\d+) requests in", text)[1]), us(50), us(99)


def worker(nginx):
    """The one worker of nginx, pinned."""
    pid = nginx.pids[1]
    os.sched_setaffinity(pid, {TARGET_CPU})
    return pid
