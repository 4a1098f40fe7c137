# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSocket spans of server and client against what both counted, connection by connection."""
import json
import os

import pytest

from rig.accounts import clean, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, Client, wait_for
from rig.servers import Server

CONNECTIONS, MESSAGES = 16, 80


class Chat(Server):
    def command(self):
        return [os.environ["CLIENTS"], ROOT / "tests/load/ws_serve.py", self.port, self.dir / "account"]

    def mark(self):
        pass

    def account(self):
        """port: messages in, out, bytes in, out, code."""
        def lines():
            text = (self.dir / "account").read_text().splitlines()
            return [list(map(int, x.split())) for x in text]
        wait_for("the server to write down each connection", lambda: len(lines()) >= CONNECTIONS)
        return {x[0]: x[1:] for x in lines()}


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request):
    middle = request.param == "in the middle"
    with Chat() as server:
        argv = [os.environ["CLIENTS"], ROOT / "tests/load/ws_load.py", server.port, CONNECTIONS, MESSAGES,
                int(middle)]
        with Client(*argv, middle=middle) as client, Obi(pids=[server.pid, client.pid]) as obi:
            out = client.run()
            account = server.account()
            run = obi.stop()
        run.middle, run.account, run.did = middle, account, {d["port"]: d for d in json.loads(out)}
        run.clients = {r["local_port"]: r for r in run.of("client", "websocket", pid=client.pid)}
        run.servers = {r["peer_port"]: r for r in run.of("server", "websocket", pid=server.pid)}
        yield run


def test_every_connection_is_one_span(run):
    clean(run)
    assert len(run.did) == CONNECTIONS
    assert run.clients.keys() == run.servers.keys() == run.did.keys() == run.account.keys()
    assert len(run.of(("client", "server"), "websocket")) == 2 * CONNECTIONS
    times_are_sane([*run.clients.values(), *run.servers.values()])


def test_messages_frames_and_bytes_equal_both_accounts(run):
    for port, did in run.did.items():
        got, gave, in_bytes, out_bytes, _ = run.account[port]
        assert (got, in_bytes) == (did["messages"], did["bytes"])
        for r in run.clients[port], run.servers[port]:
            a = {k.removeprefix("obi.websocket."): v for k, v in r["attrs"].items()}
            assert (a["request.messages"], a["response.messages"]) == (got, gave)
            controls = did["pings"] + (did["code"] != 1006)
            assert a["request.frames"] == did["frames"] + controls
            assert a["response.frames"] == gave + controls
            assert f"ping {did['pings']}" in a["request.opcodes"]
            assert f"pong {did['pings']}" in a["response.opcodes"]
            if not did["packed"]:
                pings = did["pings"] * len(b"alive")
                assert a["request.payload"] >= in_bytes + pings
                assert a["request.payload"] <= in_bytes + pings + 20  # of the Close
                assert out_bytes + pings <= a["response.payload"] <= out_bytes + pings + 20


def test_how_it_was_closed(run):
    for port, did in run.did.items():
        assert run.account[port][-1] == did["code"]
        for r in run.clients[port], run.servers[port]:
            a = r["attrs"]
            assert a["obi.websocket.close.code"] == did["code"]
            assert a.get("obi.websocket.close.reason") == did["reason"]
            by = {1006: None, 1011: "server"}.get(did["code"], "client")
            assert a.get("obi.websocket.close.by") == by
            assert r["error"] == (did["code"] in (1006, 1011))
            assert r["error_type"] == (str(did["code"]) if r["error"] else None)


def test_the_upgrade_is_part_of_it(run):
    for port, did in run.did.items():
        for r in run.clients[port], run.servers[port]:
            if run.middle:
                assert r["op"] is None and r["ttfb_ms"] is None and "joined-mid" in r["flags"]
                continue
            assert (r["op"], r["status"], r["target"].split("?")[0]) == ("GET", "101", "/packed" if did["packed"] else "/plain")
            assert "secret" not in json.dumps(r)
            assert r["ttfb_ms"] < r["dur_ms"]
            a = r["attrs"]
            assert a["obi.websocket.protocol"] == "chat"
            assert ("obi.websocket.extensions" in a) == did["packed"]
