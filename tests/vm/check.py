# SPDX-License-Identifier: GPL-3.0-or-later
"""check - compares what obi said in the VM with the accounts of the servers there.

usage: check.py RESULTS-FOLDER OPERATIONS
"""
import pathlib
import sys
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "e2e"))

from rig.accounts import literals_gone, same, statement, times_are_sane  # noqa: E402
from rig.obi import Run  # noqa: E402
from rig.servers import MariaDB, Nginx, Postgres, Redis  # noqa: E402

FOLDER, OPERATIONS = pathlib.Path(sys.argv[1]), int(sys.argv[2])
PORTS = {"nginx": 18080, "redis": 16379, "postgres": 15432, "mariadb": 13306, "dns": 15353, "inside": 16380}


def run_of(name):
    run = Run(FOLDER / f"{name}.json", (FOLDER / f"{name}.err").read_text(), 0)
    assert run.summary, f"no summary: {run.err[-500:]}"
    assert run.lost() == 0, run.summary
    times_are_sane([r for r in run.rows if r["dur_ms"] is not None])
    port = PORTS[name]
    return [[r for r in run.rows if r["kind"] == "server" and r["local_port"] == port],
            [r for r in run.rows if r["kind"] == "client" and r["peer_port"] == port]]


def nginx():
    log = [r[2:5] for r in Nginx.parse(FOLDER / "access.log") if r[0] == PORTS["nginx"]]
    for side in run_of("nginx"):
        same(((r["op"], r["target"], r["status"]) for r in side), log, "nginx")
    return len(log)


def redis():
    calls, _ = Redis.parse_calls((FOLDER / "commandstats").read_text())
    errors = Redis.parse_errors((FOLDER / "errorstats").read_text())
    calls.pop("INFO", None)
    for side in run_of("redis"):
        op = [r["op"].split()[0] for r in side]
        same((o for o in op if o != "NOSUCHCOMMAND"), calls, "Redis")
        same((r["status"] for r in side if r["error"]), errors, "Redis, errors")
    return sum(calls.values())


def inside():
    """Redis and its load in a PID namespace: ids as /proc there has them."""
    calls, _ = Redis.parse_calls((FOLDER / "inside.commandstats").read_text())
    calls.pop("INFO", None)
    for side, pid in zip(run_of("inside"), (FOLDER / "inside.pids").read_text().split(), strict=True):
        same((r["op"].split()[0] for r in side if r["op"] != "NOSUCHCOMMAND"), calls, "Redis inside")
        assert {r["pid"] for r in side} == {int(pid)}, f'{ {r["pid"] for r in side} } is not {pid}'
    return sum(calls.values())


def postgres():
    log = Counter(r[1:] for r in Postgres.parse(FOLDER / "pg.csv"))
    for side in run_of("postgres"):
        same((statement(r) for r in side if r["target"] and (r["op"] != "PREPARE" or r["error"])), log,
             "PostgreSQL")
    return sum(log.values())


def mariadb():
    log = Counter(literals_gone(text) for _, command, text in MariaDB.parse(FOLDER / "general.log")
                  if command in ("Query", "Execute"))
    no_text = ("PING", "INIT_DB", "PREPARE", "CLOSE", "RESET", "CONNECT")
    for side in run_of("mariadb"):
        # 1243: an execution of what could not be prepared, never run and in no log
        same((literals_gone(r["target"]) for r in side if r["op"] not in no_text and r["target"] and
              r["status"] != "1243"), log, "MariaDB")
    return sum(log.values())


def dns():
    own = (FOLDER / "dns.own").read_text().splitlines()
    for side in run_of("dns"):
        same((f'{r["target"]} {r["op"]} {r["status"]}' for r in side), own, "DNS over UDP")
    return len(own)


def main():
    failed = 0
    for check in (nginx, redis, postgres, mariadb, dns, inside):
        try:
            n = check()
            assert n >= OPERATIONS * 0.75, f"only {n} operations"
            print(f"  {check.__name__}: {n} operations, spans equal on both sides, lost 0")
        except (AssertionError, OSError, ValueError) as e:
            failed += 1
            print(f"  {check.__name__}: FAILED: {str(e)[:1500]}")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
