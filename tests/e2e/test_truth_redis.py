# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis spans against INFO commandstats and errorstats."""
from collections import Counter

import pytest

from rig.accounts import carried, clean, inside, same, times_are_sane
from rig.obi import Obi
from rig.proc import Gate, crowded
from rig.servers import Redis

KINDS = "set,get,incr,lpush,rpush,lpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset,ping"


@pytest.fixture
def server():
    with Redis() as r:
        yield r


def traced(server, *argv, flags=(), **kw):
    """Runs a client under obi, both sides; the run with both accounts."""
    server.mark()
    with Gate(*argv, **kw) as gate, Obi("--show-secrets", *flags, pids=[server.pid, gate.pid]) as obi:
        run_text = gate.run()
        run = obi.stop()
        run.text = run_text
        run.calls, run.failed = server.calls()
        run.errors = server.errors()
        # the account is read over a Unix socket: those commands are on no TCP connection
        run.servers = [r for r in run.of("server", "redis") if r["local_port"] == server.port]
        run.clients = [r for r in run.of("client", "redis") if r["peer_port"] == server.port]
        return run


def command(row):
    return row["op"].split()[0].upper()


def equal(run, atleast, unknown=(), queued=(), nested=inside):
    """`unknown`: commands that Redis does not count; `queued`: that it never ran."""
    clean(run)
    calls = run.calls + Counter(queued)
    assert sum(calls.values()) >= atleast
    for side in (run.servers, run.clients):
        same((command(r) for r in side if command(r) not in unknown), calls, "Redis, commandstats")
        same((r["status"] for r in side if r["error"]), run.errors, "Redis, errorstats")
    times_are_sane(run.rows)
    assert nested(run.servers, run.clients) == len(run.servers)


def test_redis_benchmark(server):
    equal(traced(server, "redis-benchmark", "-p", server.port, "-n", 2000, "-c", 50, "-q", "-t", KINDS),
          20000)


def test_redis_benchmark_with_pipelines(server):
    equal(traced(server, "redis-benchmark", "-p", server.port, "-n", 4000, "-P", 16, "-q", "-t", KINDS),
          40000)


def test_pipelined_at_200000_commands_a_second(server, load):
    """Where others use the processors too, the rate goes down until the client can keep it."""
    busy = crowded()
    for rate in 200000, 100000, 50000, 25000, 12500:
        run = traced(server, load / "redis_load", server.port, 200000, rate, 50, 4)
        print(f"asked {rate}/s: {run.text.strip()}, lost {run.lost()}")
        kept = float(run.text.split()[-1]) > rate * 0.95
        if kept and run.whole():
            break
    assert kept and (rate == 200000 or busy or crowded()), run.text
    equal(run, 200000)


def test_commands_of_all_kinds_with_large_answers(server, load):
    run = carried(lambda env: traced(server, load / "redis_load", server.port, 21000, "mixed", env=env))
    equal(run, 20000, unknown=("NOSUCHCOMMAND",))
    assert sum(command(r) == "NOSUCHCOMMAND" for r in run.servers) >= 500
    assert sum(r["resp_bytes"] > 65536 for r in run.clients) >= 2000
    assert sum(r["resp_bytes"] > 10 << 20 for r in run.clients) >= 10


def test_messages_split_at_every_boundary(load):
    with Redis(env={"LD_PRELOAD": str(load / "split.so")}) as server:
        equal(carried(lambda env: traced(server, load / "redis_load", server.port, 5000, "mixed", env=env)),
              4500, unknown=("NOSUCHCOMMAND",))


SESSION = """SET a 1
MULTI
INCR a
GET a
EXEC
MULTI
INCR a
DISCARD
EXEC
BLPOP none 0.2
RPUSH list x
BLPOP list 1
HELLO 3
HGETALL nothing
CLIENT SETNAME me
SELECT 3
OBJECT HELP
DEBUG SLEEP 0.1
"""


def test_transactions_blocking_commands_and_resp3(server, folder):
    (folder / "in").write_text(SESSION)
    run = traced(server, "redis-cli", "-p", server.port, stdin=folder / "in")
    equal(run, 15, queued=["INCR"])
    (first,) = [r for r in run.clients if r["target"] and "none" in r["target"] and command(r) == "BLPOP"]
    assert first["dur_ms"] >= 200


def test_inline_commands(server):
    run = traced(server, "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{server.port}; "
                 "printf 'PING\\r\\nSET k v\\r\\nGET k\\r\\nNOSUCH\\r\\n' >&3; head -n 5 <&3")
    clean(run)
    for side in (run.servers, run.clients):
        assert [command(r) for r in side] == ["PING", "SET", "GET", "NOSUCH"], side
        assert [r["error"] for r in side] == [False, False, False, True]


# What only watches goes by the Unix socket, so that it is on no TCP connection.
PUBLISH = """
redis-cli -p PORT subscribe c &
until redis-cli -s SOCKET pubsub numsub c | grep -qx 1; do sleep 0.1; done
for i in 1 2 3; do redis-cli -p PORT publish c $i; done
redis-cli -s SOCKET client kill type pubsub
wait
"""


def test_pushes_are_not_answers(server):
    run = traced(server, "bash", "-c", PUBLISH.replace("PORT", str(server.port))
                 .replace("SOCKET", str(server.dir / "s.sock")))
    clean(run)
    for side in (run.servers, run.clients):
        got = Counter(command(r) for r in side)
        assert got["PUBLISH"] == 3 and got["SUBSCRIBE"] == 1, got
