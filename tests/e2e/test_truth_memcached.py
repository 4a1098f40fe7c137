# SPDX-License-Identifier: GPL-3.0-or-later
"""Memcached spans, text and binary, against libmemcached's account and the server's."""
import json
import subprocess
from collections import Counter

import pytest

from rig.accounts import clean, inside, same, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, Client
from rig.servers import Server

N = 100
WRONG = ("CLIENT_ERROR", "DELTA_BADVAL")  # what the client has done wrong is no error of the server


class Memcached(Server):
    def command(self):
        return ["/usr/bin/memcached", "-u", "root", "-l", "127.0.0.1", "-p", self.port, "-U", "0"]

    def mark(self):
        self.before = self.stats()

    def stats(self):
        out = subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{self.port}; printf 'stats\\r\\nquit\\r\\n' >&3; cat <&3"],
                             capture_output=True, text=True, check=True).stdout
        return Counter({k: int(v) for _, k, v in (line.split() for line in out.splitlines() if line.startswith("STAT "))
                        if v.isdigit()})

    def counted(self):
        """What has become more since mark()."""
        return self.stats() - self.before


@pytest.fixture(scope="module", params=[f"{how}, {when}" for how in ("text", "binary")
                                        for when in ("from the start", "in the middle")])
def run(request):
    how, when = request.param.split(", ")
    middle = when == "in the middle"
    with Memcached() as server:
        argv = ["/usr/bin/python3", ROOT / "tests/load/memcached_load.py", server.port, N, how, int(middle)]
        with Client(*argv, middle=middle) as client:
            server.mark()
            with Obi("--show-secrets", "--proto", "memcached", pids=[server.pid, client.pid]) as obi:
                out = client.run()
                run = obi.stop()
        run.did, run.counted = Counter(json.loads(out)), server.counted()
        run.binary, run.middle = how == "binary", middle
        run.clients, run.servers = run.of("client", pid=client.pid), run.of("server", pid=server.pid)
        yield run


def told(row):
    """As the load counts."""
    op = row["op"].removesuffix("S") if row["op"] == "GETS" else row["op"]
    if op == "GET":
        return f'GET {row["attrs"]["db.response.returned_rows"]}'
    if row["status"] in WRONG:
        return op + " error"
    return op + (" " + row["status"] if row["status"] in ("NOT_FOUND", "NOT_STORED", "EXISTS") else "")


def test_both_sides_equal_the_clients_account(run):
    clean(run)
    assert run.did.total() > 1000
    for rows in run.clients, run.servers:
        same((told(r) for r in rows if r["op"] != "QUIT"), run.did, "memcached")


def keys(row, binary):
    if row["op"] == "MG":
        return 1
    return row["attrs"].get("db.operation.batch.size", 1) if binary else len(row["target"].split()) - 1


def test_both_sides_equal_the_servers_account(run):
    for rows in run.clients, run.servers:
        ops = Counter(told(r) for r in rows)
        gets = [r for r in rows if r["op"] in ("GET", "GETS", "MG")]
        want = {
            "cmd_get": sum(keys(r, run.binary) for r in gets),
            "get_hits": sum(r["attrs"]["db.response.returned_rows"] for r in gets),
            "cmd_touch": ops["TOUCH"],
            "incr_hits": ops["INCR"],
            "incr_misses": ops["INCR NOT_FOUND"],
            "decr_hits": ops["DECR"],
            "delete_hits": ops["DELETE"],
            "delete_misses": ops["DELETE NOT_FOUND"],
            "cmd_flush": ops["FLUSH_ALL"],
            "cas_hits": N,
        }
        if run.binary and run.middle:  # where the first answers are looked for, their runs are of unknown size
            assert 0 <= run.counted["cmd_get"] - want.pop("cmd_get") <= 4
        assert {k: run.counted[k] for k in want} == want


def test_times_sizes_and_places(run):
    times_are_sane([r for r in run.rows if r["dur_ms"] is not None])
    quiet = [r for r in run.rows if r["ttfb_ms"] is None and r["op"] != "QUIT"]
    assert len(quiet) == 2 * (3 if run.binary else 1) * (N if run.middle else N + 1)
    inside([r for r in run.servers if r["ttfb_ms"] is not None], [r for r in run.clients if r["ttfb_ms"] is not None])
    for rows in run.clients, run.servers:
        big = [r for r in rows if r["op"] == "SET" and r["req_bytes"] > 200000]
        assert len(big) >= N // 6 and all("v" * 9 not in r["target"] for r in big)
        assert {r["attrs"]["db.system.name"] for r in rows} == {"memcached"}
        many = [r for r in rows if told(r) == "GET 10"]
        assert many and all(r["target"].startswith(("get m", "gets m")) for r in many)
        if run.binary:
            assert {r["attrs"]["db.operation.batch.size"] for r in many} == {10}


def test_errors_have_their_words(run):
    bad = [r for r in run.clients if r["error"]]
    assert len(bad) == N // 10 and not any(r["error"] for r in run.servers)
    assert {r["error_type"] for r in bad} == {WRONG[run.binary]}
    assert all("on-numeric" in r["attrs"]["error.message"] for r in bad)
