# SPDX-License-Identifier: GPL-3.0-or-later
"""Loss: found, printed, and exact in each of its units."""
import json
import subprocess
from collections import defaultdict

import pytest

from rig.obi import Obi, run as obi_run
from rig.proc import Gate, crowded
from rig.servers import Nginx, Redis


def facts(path):
    """The table `capture` of a recording: key to number."""
    out = obi_run("sql", "-r", path, "-o", "json", "select key, value from capture")
    assert out.returncode == 0, out.stderr
    return {r["key"]: int(r["value"]) for r in map(json.loads, out.stdout.splitlines())
            if "key" in r and str(r["value"]).lstrip("-").isdigit()}


def connections(path):
    out = obi_run("sql", "-r", path, "-o", "json", "select * from connections")
    assert out.returncode == 0, out.stderr
    return [r for r in map(json.loads, out.stdout.splitlines()) if "conn" in r]


def account(folder):
    """http_load's own bytes by client port, sent and received, of ports that one connection had."""
    out, conns = defaultdict(lambda: [0, 0]), defaultdict(set)
    for part in folder.glob("own.*"):
        for line in part.read_text().splitlines():
            p = line.split("\t")
            port = int(p[0])
            out[port][0] += int(p[4])
            out[port][1] += int(p[5])
            conns[port].add((part.name, p[9]))
    return {port: both for port, both in out.items() if len(conns[port]) == 1}


@pytest.mark.parametrize("ring,lossy", [("64K", True), ("16M", False)])
def test_accounts_are_exact_with_and_without_loss(load, folder, ring, lossy):
    """With the ring made tiny everything at full speed; else what one client sends, at a tenth of that."""
    with Nginx() as nginx, Gate(load / "http_load", nginx.port, 6000, 4 if lossy else 1, folder / "own",
                                "all", 0 if lossy else 20 << 20) as gate, \
         Obi("--ring", ring, "-w", folder / "run.db", pids=[*nginx.pids, gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    assert run.status == 0, run.err
    f = facts(folder / "run.db")
    assert f["ring.fired"] == f["ring.records"] + f["ring.lost"], f
    assert (f["ring.lost"] > 0) == lossy, f
    assert (run.lost() > 0) == lossy, run.summary
    assert f["spans.started"] == f["spans.ended"] + f["spans.open"] + f["spans.broken"], f
    if lossy:
        assert "lost" in run.err
    own, seen = account(folder), 0
    for c in connections(folder / "run.db"):
        parts = [c[k + "_bytes"] for k in ("seen", "cut", "lost", "unseen")]
        assert min(parts) >= 0 and sum(parts) == c["tx_bytes"] + c["rx_bytes"], c
        if not lossy:
            assert c["lost_bytes"] == 0, c
        if c["side"] != "client" or c["peer_port"] != nginx.port or c["local_port"] not in own:
            continue
        # a connection whose end was lost too stays open: nobody can say what moved after the last record
        if c["state"] == "closed" or not lossy:
            seen += 1
            assert [c["tx_bytes"], c["rx_bytes"]] == own[c["local_port"]], (c, own[c["local_port"]])
    assert seen == len(own) or lossy
    assert seen > 0


def test_the_rate_that_is_carried_without_loss(load):
    """Finds and prints it: each step asks for more until something is lost or the client is at its end."""
    best, busy = 0, crowded()
    with Redis() as redis:
        for rate in (25000, 50000, 100000, 200000, 400000, 800000, 1600000):
            with Gate(load / "redis_load", redis.port, max(rate // 2, 50000), rate, 50, 4) as gate, \
                 Obi(pids=[redis.pid], stdout=subprocess.DEVNULL, output="csv") as obi:
                reached = float(gate.run().split()[-1])
                obi.stop()
            lost = "lost 0" not in obi.stderr
            print(f"asked {rate}/s, reached {reached:.0f}/s, {'lost some' if lost else 'lost 0'}")
            if lost or (reached < rate * 0.8 and reached < best * 1.2):
                break
            best = max(best, reached)
    print(f"carried without loss: {best:.0f} commands a second")
    assert best >= (1000 if busy or crowded() else 100000 * 0.9)
