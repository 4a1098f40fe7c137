# SPDX-License-Identifier: GPL-3.0-or-later
"""obi top against truth: times that the client logs, delays that the server logs, counts of both."""
import contextlib
import json
import subprocess
import sys

import pytest

from rig.obi import OBI
from rig.proc import ROOT, crowded, end, free_port, listens, wait_for
from rig.servers import die_with_parent

STATED = 0.011  # of a value, by the histogram
DELAYS = ROOT / "tests/load/delays.py"
ROUTES = ["/api/quick/{id}", "/api/slow/{id}", "/api/report/{id}"]
SHARES = {"p50_ms": .5, "p95_ms": .95, "p99_ms": .99}


@contextlib.contextmanager
def program(*args):
    p = subprocess.Popen([sys.executable, "-B", DELAYS, *map(str, args)], stdin=subprocess.PIPE, text=True,
                         preexec_fn=die_with_parent)
    try:
        yield p
    finally:
        end(p)


class Truth:
    """One run: the recording, and what both sides say."""

    def __init__(self, folder, n, threads, pause, mix):
        self.file = folder / "run.otlp"
        port = free_port()
        with program("server", port, folder / "server") as server:
            wait_for("the server", lambda: listens(port))
            with program("client", port, folder / "client", n, threads, pause, mix) as client:
                pids = f"{server.pid},{client.pid}"
                obi = subprocess.Popen([OBI, "trace", "-p", pids, "-w", self.file, "-o", "json"], text=True,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                try:
                    while "attached" not in obi.stderr.readline():
                        assert obi.poll() is None
                    self.crowded = crowded()
                    client.stdin.write("go\n")
                    client.stdin.flush()
                    assert client.wait(300) == 0
                    self.crowded |= crowded()
                finally:
                    obi.terminate()
                    self.said = obi.stderr.read()
                    obi.wait(60)
        self.port = port
        self.client = {p[0]: (p[1], (int(p[3]) - int(p[2])) / 1e6, p[4]) for p in self.lines(folder / "client")}
        self.server = {p[0]: (p[1], float(p[2])) for p in self.lines(folder / "server")}
        self.spans = self.json("trace")
        assert any("summary" in s for s in self.spans)
        self.summary = self.spans.pop()["summary"]

    @staticmethod
    def lines(path):
        return [line.rstrip("\n").split("\t") for line in open(path)]

    def json(self, command, *flags):
        out = subprocess.run([OBI, command, "-q", "-r", self.file, "-o", "json",
                              *(a for r in ROUTES for a in ("--route", r)), *flags],
                             text=True, stdout=subprocess.PIPE, check=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def top(self, side, by):
        return self.json("top", "--once", "--side", side, "--by", by)

    def logged(self, side):
        """Target to status and ms, as the side says itself."""
        return {t: (r[0], r[1]) for t, r in getattr(self, side).items()}

    def skew(self, side):
        """What obi measured beyond the log, request by request, ms."""
        logged = self.logged(side)
        return sorted(abs(s["dur_ms"] - logged[s["target"]][1]) for s in self.spans if s["kind"] == side)


def lost(v):
    return sum(map(lost, v.values())) if isinstance(v, dict) else v


def quantile(values, share):
    values = sorted(values)
    return values[max(0, -(-int(share * 100) * len(values) // 100) - 1)]


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """About half of what one core can carry of this: pauses between requests."""
    return Truth(tmp_path_factory.mktemp("half"), 1600, 8, 15, "slow")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return Truth(tmp_path_factory.mktemp("full"), 20000, 8, 0, "fast")


def route(target):
    return target.rsplit("/", 1)[0] + "/{id}"


# what a request is in, by what its side logs: target, status
GROUPS = {
    "route": lambda t, status: (route(t),),
    "name": lambda t, status: ("GET " + route(t),),
    "status": lambda t, status: (status,),
    "route,status": lambda t, status: (route(t), status),
    "op": lambda t, status: ("GET",),
    "proto": lambda t, status: ("http",),
    "service": None, "process": None, "peer": None, "kind": None, "comm": None,
}


def expected(truth, side, by):
    groups = {}
    for target, (status, ms) in truth.logged(side).items():
        key = GROUPS[by](target, status) if GROUPS[by] else ()
        groups.setdefault(key, []).append((status, ms))
    return groups


def shown(truth, side, by):
    rows = truth.top(side, by)
    if not GROUPS[by]:
        assert len(rows) == 1, rows
        return {(): rows[0]}
    return {tuple(r[c] for c in by.split(",")): r for r in rows}


def counts_agree(truth, side, by):
    want, got = expected(truth, side, by), shown(truth, side, by)
    assert {k: (len(v), sum(s == "500" for s, _ in v)) for k, v in want.items()} == \
        {k: (r["count"], r["errors"]) for k, r in got.items()}
    return want, got


def test_the_load_is_what_it_should_be(half):
    assert len(half.client) == len(half.server) == 1600
    assert min(ms for _, ms in half.server.values()) >= 10
    assert not lost(half.summary["lost"])


@pytest.mark.parametrize("side", ["client", "server"])
def test_skew_is_small(half, side):
    """The log and the span of one request differ by little, so that the bound below means something."""
    skew = half.skew(side)
    print(f"{side}: skew of the same requests: median {quantile(skew, .5):.3f} p99 {quantile(skew, .99):.3f} "
          f"max {skew[-1]:.3f} ms")
    assert len(skew) == 1600
    assert quantile(skew, .5) < (20 if half.crowded else 2)


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("side", ["client", "server"])
def test_percentiles_agree_with_the_log(half, side, by):
    want, got = counts_agree(half, side, by)
    skew = half.skew(side)[-1]
    worst = 0
    for key, rows in want.items():
        for column, share in SHARES.items():
            true = quantile([ms for _, ms in rows], share)
            off = abs(got[key][column] - true)
            assert off <= STATED * true + skew, (key, column, got[key][column], true)
            worst = max(worst, off)
        true = max(ms for _, ms in rows)
        assert abs(got[key]["max_ms"] - true) <= skew
    print(f"{side} by {by}: {len(want)} groups, off by {worst:.3f} ms at most")


@pytest.mark.parametrize("side", ["client", "server"])
def test_percentiles_of_spans_are_within_the_stated_error(half, side):
    """Without any skew: against the exact durations of the very spans."""
    for r in half.top(side, "route"):
        exact = [s["dur_ms"] for s in half.spans if s["kind"] == side and s["route"] == r["route"]]
        for column, share in SHARES.items():
            assert r[column] == pytest.approx(quantile(exact, share), rel=STATED)
        assert r["max_ms"] == pytest.approx(max(exact), abs=1e-6)


@pytest.mark.parametrize("side", ["client", "server"])
def test_connections_are_told_apart(half, side):
    per_port = {}
    for _, _, port in half.client.values():
        per_port[port] = per_port.get(port, 0) + 1
    assert sorted(r["count"] for r in half.top(side, "conn")) == sorted(per_port.values())


def test_shares_add_up(half):
    for by in GROUPS:
        rows = half.top("client", by)
        assert sum(r["total_pct"] for r in rows) == pytest.approx(100, abs=1e-4)
    few = half.json("top", "--once", "--by", "conn", "--top", "3")
    assert len(few) == 4 and few[-1]["conn"] == "(other)"
    assert sum(r["count"] for r in few) == 3200


@pytest.mark.parametrize("by", GROUPS)
@pytest.mark.parametrize("side", ["client", "server"])
def test_counts_are_exact_at_full_load(full, side, by):
    assert len(full.client) == len(full.server) == 20000 and not lost(full.summary["lost"])
    counts_agree(full, side, by)


def test_exit_status_for_scripts(half):
    def status(*flags):
        return subprocess.run([OBI, "top", "-q", "-r", half.file, "--once", *flags], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode
    assert status("--by", "route", "--fail-if", "p99_ms > 100") == 7
    assert status("--by", "route", "--fail-if", "p99_ms > 1000") == 0
    assert status("--proto", "redis", "--fail-empty") == 6
    assert status("--by", "rout") == 2
    assert status("--alert", "p99 > 1") == 2
