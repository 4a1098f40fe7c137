# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP spans against nginx's access log and the client's own account, one for one."""
from collections import Counter

import pytest

from rig.accounts import clean, end_ns, inside, same, times_are_sane
from rig.obi import Obi
from rig.proc import Gate
from rig.servers import Nginx

OPERATIONS = 20000


class Load:
    """What http_load says: rows by target, each target is used once."""

    def __init__(self, name, workers):
        self.rows = {}
        for w in range(workers):
            with open(f"{name}.{w}") as f:
                for line in f:
                    p = line.rstrip("\n").split("\t")
                    self.rows[p[2]] = (int(p[0]), p[1], p[3], *map(int, p[4:]))

    def keys(self):
        return [(r[1], target, r[2]) for target, r in self.rows.items()]


@pytest.fixture(scope="module")
def run(load):
    with Nginx() as nginx:
        run = carried(nginx, load)
        run.nginx = list(nginx.access())
        run.load = Load(nginx.dir / "load", 4)
        run.port, run.back, run.nginx_pids = nginx.port, nginx.back, nginx.pids
        run.servers = run.of("server", "http", local_port=run.port)
        run.clients = run.of("client", "http", comm="http_load")
        yield run


def carried(nginx, load, operations=OPERATIONS, workers=4):
    """
    The load at the highest rate, in bytes a second, at which nothing is lost: found here, and printed.
    Where the reader falls far behind, long bodies are cut, and requests broken that end behind them.
    """
    for rate in (0, 200 << 20, 100 << 20, 50 << 20, 25 << 20):
        nginx.mark()
        with Gate(load / "http_load", nginx.port, operations, workers, nginx.dir / "load", "all", rate) as gate, \
             Obi("--show-secrets", pids=[*nginx.pids, gate.pid]) as obi:
            gate.run()
            run = obi.stop()
        broken = run.summary["requests"]["broken"]
        print(f"at {f'{rate >> 20} MiB/s' if rate else 'full speed'}: lost {run.lost()}, broken {broken}")
        if run.whole():
            break
    return run


def test_the_mix_is_what_it_should_be(run):
    assert len(run.load.rows) == OPERATIONS
    sizes = [r[4] for r in run.load.rows.values()]
    assert sum(s > 65536 for s in sizes) >= OPERATIONS / 10
    assert sum(s > 10 << 20 for s in sizes) >= 10
    assert {r[2] for r in run.load.rows.values()} >= {"200", "204", "304", "404", "500"}
    batches = Counter((r[0], r[5]) for r in run.load.rows.values())  # by port and first send
    piped = [r for r in run.load.rows.values() if batches[r[0], r[5]] > 1]
    assert len(piped) > OPERATIONS / 4
    assert sum(r[4] > 65536 for r in piped) > OPERATIONS / 40


def test_nothing_is_lost(run):
    clean(run)


def test_server_spans_equal_the_access_log(run):
    same(((r["op"], r["target"], r["status"]) for r in run.servers),
         (r[2:5] for r in run.nginx if r[0] == run.port), "nginx, server spans")


def test_client_spans_equal_the_clients_account(run):
    same(((r["op"], r["target"], r["status"]) for r in run.clients), run.load.keys(), "client spans")


def test_a_proxys_spans_towards_its_upstream_equal_the_upstreams_log(run):
    log = [r[2:5] for r in run.nginx if r[0] == run.back]
    assert len(log) > OPERATIONS / 10
    for kind, port in (("server", "local_port"), ("client", "peer_port")):
        same(((r["op"], r["target"], r["status"]) for r in run.of(kind, "http", **{port: run.back})), log,
             f"upstream, {kind} spans")


def test_both_ends_on_this_host_name_each_other(run):
    """Nobody is named who is not at the other end. A span that was complete before the first
    record of the other end had been read does not know it yet: few, and unknown, not wrong."""
    workers = {f"nginx[{pid}]" for pid in run.nginx_pids}
    for kind, port in (("server", "local_port"), ("client", "peer_port")):
        rows = run.of(kind, "http", **{port: run.back})
        assert len(rows) > OPERATIONS / 10
        assert {r["peer_process"] for r in rows} <= workers | {None}, kind
    here = {(r["local_port"], r["peer_port"], r["target"]): r["process"] for r in run.rows}
    unknown = 0
    for r in run.rows:
        other = here.get((r["peer_port"], r["local_port"], r["target"]))
        assert r["peer_process"] in (other, None), r
        unknown += r["peer_process"] != other
        caller = r["peer_process"] or r["peer"]
        assert r["caller"] == (r["process"] if r["kind"] == "client" else caller), r
    assert unknown <= len(run.rows) / 100, unknown


def test_no_other_rows_appear(run):
    ports = {run.port, run.back}
    other = [r for r in run.rows if r["local_port"] not in ports and r["peer_port"] not in ports]
    assert not other, other[:3]


def test_sizes_equal_the_accounts(run):
    sent = {r[3]: r[5] for r in run.nginx if r[0] == run.port}
    bad = [(r["target"], r["resp_bytes"], sent[r["target"]]) for r in run.servers
           if r["resp_bytes"] != sent[r["target"]]]
    assert not bad, (len(bad), bad[:5])
    for kind in (run.servers, run.clients):
        bad = [(r["op"], r["target"], r["kind"], r["req_bytes"], r["resp_bytes"], run.load.rows[r["target"]])
               for r in kind if (r["req_bytes"], r["resp_bytes"]) != run.load.rows[r["target"]][3:5]]
        assert not bad, (len(bad), bad[:5])


def test_times_hold_the_relations(run):
    times_are_sane(run.rows)
    for r in run.clients:
        own = run.load.rows[r["target"]]
        assert r["dur_ms"] * 1e6 <= own[7] - own[5] + 1, (r, own)
        assert r["start_ns"] <= end_ns(r)


def test_each_server_span_lies_inside_its_client_span(run):
    assert inside(run.servers, run.clients) == OPERATIONS


def test_rows_come_with_all_keys_and_the_right_process(run):
    for r in run.clients[:100] + run.servers[:100]:
        assert r["comm"] == ("http_load" if r["kind"] == "client" else "nginx"), r
        assert r["process"] == f"{r['comm']}[{r['pid']}]"
        assert r["tls"] is None and r["parent_by"] is None or r["parent_span_id"]
        assert len(r["trace_id"]) == 32 and len(r["span_id"]) == 16
    assert len({r["span_id"] for r in run.rows}) == len(run.rows)
