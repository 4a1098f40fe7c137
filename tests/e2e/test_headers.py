# SPDX-License-Identifier: GPL-3.0-or-later
"""--header against what curl sent and nginx answered, and the metadata of gRPC calls; nothing secret leaves."""
import json
import os
import subprocess

import pytest

from rig.obi import Obi, run as obi_run
from rig.proc import ROOT, end
from rig.servers import Nginx, Server

N = 30
EXTRA = """
    location = /head { add_header X-Number $http_x_number always; add_header Set-Cookie "sid=s3cret";
        add_header Set-Cookie "b=s3cret"; return 200 "ok\\n"; }
    location = /moved { return 302 http://other.test/a?token=s3cret&x=1; }
"""
ASK = ("host,X-NUMBER,authorization,cookie", "set-cookie,x-*,location")


def ask(nginx, way):
    """One curl for all; one each over HTTP/2, where this curl fails to use a connection again."""
    asks = [f'url = "http://127.0.0.1:{nginx.port}/head"\nheader = "X-Number: {i}"\nheader = "X-List: a{i}"\n'
            f'header = "x-list: b"\nheader = "Authorization: Bearer s3cret"\nheader = "Cookie: sid=s3cret"\n'
            f'header = "baggage: tenant=blue,session_id=s3cret,n={i}"\nheader = "Not-Asked: 1"\n' for i in range(N)]
    asks = [f'{a}{way}\noutput = /dev/null\nsilent\n'
            for a in [*asks, f'url = "http://127.0.0.1:{nginx.port}/moved"\n']]
    for config in ["next\n".join(asks)] if way == "http1.1" else asks:
        subprocess.run(["curl", "-K", "-"], input=config, text=True, check=True, timeout=240)


def flags():
    return [f for names in ASK for f in ("--header", names)]


@pytest.fixture(scope="module", params=["http", "http2"])
def asked(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("headers")
    http2 = request.param == "http2"
    with Nginx(extra=EXTRA, listen="http2" if http2 else "") as nginx:
        with Obi(*flags(), "-w", folder / "run.otlp", pids=nginx.pids) as obi:
            ask(nginx, "http2-prior-knowledge" if http2 else "http1.1")
            run = obi.stop()
        run.name, run.file, run.port = request.param, folder / "run.otlp", nginx.port
        run.heads = [r for r in run.of("server", run.name) if r["target"] == "/head"]
        yield run


def test_fields_of_requests_and_answers_are_lists(asked):
    assert len(asked.heads) == N
    for r in asked.heads:
        a = r["attrs"]
        n, = a["http.request.header.x-number"]
        assert a["http.request.header.x-list"] == [f"a{n}", "b"]
        assert a["http.response.header.x-number"] == [n]
        assert a["http.response.header.content-type"] == ["text/plain"]
        if asked.name == "http":
            assert a["http.request.header.host"] == [f"127.0.0.1:{asked.port}"]
        assert not any("not-asked" in k for k in a)
    assert {r["attrs"]["http.request.header.x-number"][0] for r in asked.heads} == {str(i) for i in range(N)}


def test_credentials_keep_their_name_alone(asked):
    for r in asked.heads:
        a = r["attrs"]
        assert a["http.request.header.authorization"] == a["http.request.header.cookie"] == ["REDACTED"]
        assert a["http.response.header.set-cookie"] == ["REDACTED", "REDACTED"]
    moved, = (r["attrs"] for r in asked.of("server", asked.name) if r["target"] == "/moved")
    assert moved["http.response.header.location"] == ["http://other.test/a?token=REDACTED&x=1"]
    assert "s3cret" not in json.dumps(asked.rows) and b"s3cret" not in asked.file.read_bytes()


def test_baggage_is_shown_without_its_secrets(asked):
    for r in asked.heads:
        n = r["attrs"]["http.request.header.x-number"][0]
        assert r["attrs"]["obi.baggage"] == f"tenant=blue,session_id=REDACTED,n={n}"


def test_a_recording_and_sql_have_the_same(asked):
    spans = [json.loads(line) for line in open(asked.file)]
    values = [a["value"] for x in spans for rs in x.get("resourceSpans", []) for ss in rs["scopeSpans"]
              for s in ss["spans"] for a in s["attributes"] if a["key"] == "http.request.header.x-list"]
    assert len(values) == N
    assert all(v["arrayValue"]["values"][1] == {"stringValue": "b"} for v in values)
    out = obi_run("sql", "-r", asked.file, "-o", "json", "select count(*) as n, count(distinct attrs ->> "
                  "'$.\"http.request.header.x-number\"[0]') as d from spans where target = '/head'")
    assert json.loads(out.stdout) == {"n": N, "d": N}, out.stderr


class Grpc(Server):
    def command(self):
        return [os.environ["CLIENTS"], ROOT / "tests/load/grpc_metadata.py", "serve", self.port]

    def mark(self):
        """Keeps no account."""


def test_metadata_of_calls():
    with Grpc() as server:
        argv = [os.environ["CLIENTS"], ROOT / "tests/load/grpc_metadata.py", "call", server.port, N]
        client = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, text=True)
        try:
            with Obi("--header", "x-*", "--header", "authorization,grpc-status",
                     pids=[server.pid, client.pid]) as obi:
                client.communicate("\n", timeout=240)
                assert not client.returncode
                run = obi.stop()
        finally:
            end(client)
    for side in "server", "client":
        calls = run.of(side, "grpc")
        assert len(calls) == N
        for r in calls:
            a = r["attrs"]
            n, = a["rpc.response.metadata.x-cost"]
            assert a["rpc.request.metadata.x-user"] == [f"user {n}", "again"]
            assert a["rpc.request.metadata.authorization"] == ["REDACTED"]
            assert a["rpc.response.metadata.x-served-by"] == ["echo"]
            assert a["rpc.response.metadata.grpc-status"] == ["0"]
            assert a["rpc.response.metadata.x-token"] == ["REDACTED"]
            assert a["obi.baggage"] == f"tenant=blue,session_id=REDACTED,n={n}"
    assert "s3cret" not in json.dumps(run.rows) and "t0p" not in json.dumps(run.rows)


def test_without_the_flag_there_are_none():
    with Nginx(extra=EXTRA) as nginx, Obi(pids=nginx.pids) as obi:
        ask(nginx, "http1.1")
        run = obi.stop()
    keys = {k for r in run.rows for k in r["attrs"] if ".header." in k}
    assert keys == {"http.response.header.content-type"}
