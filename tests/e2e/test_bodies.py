# SPDX-License-Identifier: GPL-3.0-or-later
"""--body against what curl sent and got, through nginx as server and as client: framing, limit, secrets."""
import json
import subprocess

import pytest

from rig.obi import Obi
from rig.servers import Nginx

N = 10
EXTRA = """
    location = /bytes { default_type application/octet-stream; alias %s; }
"""
BODIES = {
    "json": '{"user":"ann","password":"s3cret","pin_token":4711,"items":[1,2,3]}',
    "form": "a=1&password=s3cret&b=2",
    "text": "grüße",
    "long": "0123456789" * 1000,
}
SHOWN = {
    "json": '{"user":"ann","password":"REDACTED","pin_token":"REDACTED","items":[1,2,3]}',
    "form": "a=1&password=REDACTED&b=2",
    "text": "grüße",
    "long": ("0123456789" * 1000)[:1000],
}


@pytest.fixture(scope="module", params=["http", "http2"])
def sent(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bodies")
    (folder / "bytes").write_bytes(b"\x1f\x8b\x00\x01 not text")
    folder.chmod(0o755)
    http2 = request.param == "http2"
    with Nginx(extra=EXTRA % (folder / "bytes"), listen="http2" if http2 else "") as nginx:
        asks = [f'url = "http://127.0.0.1:{nginx.port}/post?{kind}"\ndata-binary = "@{folder / kind}"\n'
                + 'header = "Expect:"\n' + ('header = "Transfer-Encoding: chunked"\n' if i % 2 and not http2 else "")
                for kind in BODIES for i in range(N)]
        asks = [f'{a}{"http2-prior-knowledge" if http2 else "http1.1"}\noutput = /dev/null\nsilent\n'
                for a in [*asks, f'url = "http://127.0.0.1:{nginx.port}/bytes"\n']]
        for kind, body in BODIES.items():
            (folder / kind).write_text(body)
        with Obi("--body=1000", "-w", folder / "run.otlp", pids=nginx.pids) as obi:
            for config in asks if http2 else ["next\n".join(asks)]:
                subprocess.run(["curl", "-K", "-"], input=config, text=True, check=True, timeout=240)
            run = obi.stop()
        run.proto, run.file = request.param, folder / "run.otlp"
        run.posts = [r for r in run.of("server", run.proto, local_port=nginx.port)
                     if (r["target"] or "").startswith("/post")]
        yield run


def test_bodies_are_what_was_sent(sent):
    assert len(sent.posts) == N * len(BODIES)
    for r in sent.posts:
        kind, a = r["target"].partition("?")[2], r["attrs"]
        assert a["http.request.body.content"] == SHOWN[kind]
        assert a.get("obi.http.request.body.left_out") == (9000 if kind == "long" else None)
        assert a["http.response.body.content"] == "back\n"
        assert "obi.http.response.body.left_out" not in a


def test_nginx_as_client_says_the_same(sent):
    passed = [r for r in sent.of("client", "http") if (r["target"] or "").startswith("/post")]
    assert len(passed) == N * len(BODIES)
    for r in passed:
        assert r["attrs"]["http.request.body.content"] == SHOWN[r["target"].partition("?")[2]]
        assert r["attrs"]["http.response.body.content"] == "back\n"


def test_bytes_that_are_no_text_are_escaped(sent):
    r, = (r for r in sent.of("server", sent.proto) if r["target"] == "/bytes")
    a = r["attrs"]
    seen = a.get("http.response.body.content")
    # nginx may send the file by the kernel alone: then it is counted
    assert seen == "\\x1f\\x8b\\x00\\x01 not text" or (seen is None and a["obi.http.response.body.left_out"] == 13)
    assert "http.request.body.content" not in a


def test_nothing_secret_is_in_the_recording(sent):
    assert "s3cret" not in json.dumps(sent.rows) and "4711" not in json.dumps([r["attrs"] for r in sent.posts])
    assert b"s3cret" not in sent.file.read_bytes()


def test_secrets_are_shown_to_who_asks_and_redacted_again(folder):
    with Nginx() as nginx:
        with Obi("--body", "--show-secrets", "-w", folder / "open.otlp", pids=nginx.pids) as obi:
            subprocess.run(["curl", "-s", "-o", "/dev/null", "-d", BODIES["json"],
                            f"http://127.0.0.1:{nginx.port}/post"], check=True, timeout=240)
            run = obi.stop()
    r, = run.of("server", "http", local_port=nginx.port)
    assert r["attrs"]["http.request.body.content"] == BODIES["json"]
    with Obi("-r", folder / "open.otlp", attached=False) as obi:
        again = obi.wait()
    r, = again.of("server", "http", local_port=nginx.port)
    assert r["attrs"]["http.request.body.content"] == SHOWN["json"]


def test_without_the_flag_there_are_none():
    with Nginx() as nginx, Obi(pids=nginx.pids) as obi:
        subprocess.run(["curl", "-s", "-o", "/dev/null", "-d", "x", f"http://127.0.0.1:{nginx.port}/post"],
                       check=True, timeout=240)
        run = obi.stop()
    assert not [k for r in run.rows for k in r["attrs"] if ".body.content" in k or "left_out" in k]
