# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-Sent Events: spans of an aiohttp server and of curl against what the server sent."""
import os

import pytest

from rig.accounts import clean, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, Gate, wait_for
from rig.servers import Server

STREAMS, EVENTS, WAIT_MS = 30, 45, 20


class Events(Server):
    def command(self):
        return [os.environ["CLIENTS"], ROOT / "tests/load/sse_serve.py", self.port, self.dir / "account"]

    def mark(self):
        pass

    def account(self):
        """target: events, microseconds to the first one."""
        def lines():
            return [x.split() for x in (self.dir / "account").read_text().splitlines()]
        wait_for("the server to write down each stream", lambda: len(lines()) >= STREAMS)
        return {x[0]: (int(x[1]), int(x[2])) for x in lines()}


@pytest.fixture(scope="module", params=["chunks", "until the connection ends"])
def run(request):
    version = "--http1.1" if request.param == "chunks" else "--http1.0"
    with Events() as server:
        url = f"http://127.0.0.1:{server.port}/events?n={EVENTS}&wait={WAIT_MS}&i=[1-{STREAMS}]"
        with Gate("curl", "-sSN", version, url) as gate, Obi(pids=[server.pid, gate.pid]) as obi:
            gate.run()
            run = obi.stop()
        run.account = server.account()
        run.both = [run.of("client", "http", pid=gate.pid), run.of("server", "http", pid=server.pid)]
        yield run


def test_every_stream_is_one_span(run):
    clean(run)
    for rows in run.both:
        assert sorted(r["target"] for r in rows) == sorted(run.account)
        assert {(r["op"], r["status"], r["error"]) for r in rows} == {("GET", "200", 0)}
        times_are_sane(rows)


def test_events_equal_those_that_were_sent(run):
    for rows in run.both:
        assert [r["attrs"].get("obi.sse.events") for r in rows] == [EVENTS] * STREAMS


def test_the_first_event_is_later_than_the_first_byte(run):
    """The head goes out at once, the first event after a while."""
    for rows in run.both:
        for r in rows:
            first = r["attrs"]["obi.sse.time_to_first_event"]
            assert first >= run.account[r["target"]][1] - 1000, r
            assert r["ttfb_ms"] * 1000 - 1 < first <= r["dur_ms"] * 1000, r
            # a client that is kept from reading finds both together
            assert r["kind"] == "client" or r["ttfb_ms"] * 1000 < first, r
