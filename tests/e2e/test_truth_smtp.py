# SPDX-License-Identifier: GPL-3.0-or-later
"""SMTP spans of both sides against the client's account and what Postfix counted."""
import base64
import json
import subprocess
import sys
from collections import Counter

import pytest

from rig.accounts import clean, inside, same, times_are_sane
from rig.obi import Obi
from rig.postfix import Postfix
from rig.proc import ROOT, end
from rig.servers import Server
from test_truth_tls import certificate

N = 120


@pytest.fixture(scope="module")
def server():
    with Postfix() as postfix:
        yield postfix


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request, server):
    middle = request.param == "in the middle"
    argv = [sys.executable, ROOT / "tests/load/smtp_load.py", server.port, N, int(middle)]
    gate = ["/bin/sh", "-c", 'read -r _; exec "$@"', "gate"]
    client = subprocess.Popen([str(a) for a in ([] if middle else gate) + argv], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        server.mark()
        if middle:
            assert client.stdout.readline() == "ready\n"
        with Obi("--proto", "smtp", pids=[*server.pids, client.pid]) as obi:
            out, _ = client.communicate("\n", timeout=300)
            assert not client.returncode
            run = obi.stop()
    finally:
        end(client)
    run.middle, said = middle, json.loads(out)
    run.did, run.sizes = Counter(said["did"]), said["sizes"]
    run.good, run.all = server.account(sessions=N - N // 2 + 2)
    run.sides = run.of("client", pid=client.pid), run.of("server")
    yield run


def told(row):
    return f'{"FOO" if row["op"] == "_OTHER" else row["op"]} {row["status"]}'


def test_both_sides_equal_the_clients_account(run):
    clean(run)
    assert run.did.total() > 1000
    for rows in run.sides:
        same((told(r) for r in rows), run.did, "SMTP")


def test_both_sides_equal_what_the_server_counted(run):
    seen = {"ehlo": 1, "mail": 1, "rcpt": 1} if run.middle else {}  # before the tracing began
    for rows in run.sides:
        for name, total in run.all.items():
            ops = [r for r in rows if r["op"] == {"unknown": "_OTHER"}.get(name, name.upper())]
            if name != "commands":
                assert len(ops) == total - seen.get(name, 0), name
                assert sum(r["code"] < 400 for r in ops) == run.good[name] - seen.get(name, 0), name
        assert len(rows) == run.all["commands"] - sum(seen.values())


def test_sizes_are_those_of_the_messages(run):
    for rows in run.sides:
        data = [r for r in rows if r["op"] == "DATA" and r["code"] == 250]
        same((r["attrs"]["obi.smtp.message.size"] for r in data), Counter(run.sizes), "sizes")
        assert all(r["req_bytes"] >= r["attrs"]["obi.smtp.message.size"] + (0 if run.middle else 6) for r in data)
        chunks = [r for r in rows if r["op"] == "BDAT"]
        assert len(chunks) == N // 4 * 2 and all(r["req_bytes"] > r["attrs"]["obi.smtp.message.size"] for r in chunks)


def test_times(run):
    times_are_sane(run.rows)
    clients, servers = run.sides
    inside(servers, clients)


def test_errors_and_names(run):
    for rows in run.sides:
        bad = [r for r in rows if r["code"] >= 400]
        assert {r["status"] for r in bad} == {"450", "550", "503", "502", "500"} & {r["status"] for r in bad}
        nobody = [r for r in bad if r["status"] == "550"]
        assert {r["attrs"]["obi.smtp.enhanced"] for r in nobody} == {"5.1.1"}
        assert all("?@example.org" in r["attrs"]["error.message"] for r in nobody)
    assert all(r["error"] and r["error_type"] == r["status"] for r in run.sides[0] if r["code"] >= 400)
    assert not any(r["error"] for r in run.sides[1])
    assert "SMTP RCPT" in {r["name"] for r in run.rows}


def test_no_persons_name_is_kept(run):
    assert {r["target"] for r in run.rows if r["op"] in ("MAIL", "RCPT", "VRFY")} == {"?@example.org"}
    text = json.dumps(run.rows)
    assert not any(name + "@" in text for name in ("ann", "bob", "nobody", "later"))


def visited(pids, code, *flags):
    """Run of obi on these and on a client that runs this Python; what the client printed."""
    client = subprocess.Popen(["/bin/sh", "-c", 'read -r _; exec "$@"', "gate", sys.executable, "-c", code], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        with Obi(*flags, pids=[*pids, client.pid]) as obi:
            out, _ = client.communicate("\n", timeout=100)
            assert not client.returncode
            run = obi.stop()
    finally:
        end(client)
    clean(run)
    run.said = json.loads(out)
    return run


LOGIN = """
import json, smtplib
said = []
for how in "LOGIN", "PLAIN", "wrong":
    for early in True, False:
        c = smtplib.SMTP("127.0.0.1", {port})
        c.ehlo()
        c.user, c.password = "ann", "wrong-one" if how == "wrong" else "secret"
        try:
            code, _ = c.auth("PLAIN" if how == "wrong" else how, c.auth_login if how == "LOGIN" else c.auth_plain,
                             initial_response_ok=early)
        except smtplib.SMTPAuthenticationError as e:
            code = e.smtp_code
        said.append(code)
        c.quit()
print(json.dumps(said))
"""


class Aiosmtpd(Server):
    def mark(self):
        pass

    def command(self):
        return [sys.executable, ROOT / "tests/load/smtp_serve.py", self.port]


def test_credentials_are_shown_to_nobody():
    with Aiosmtpd() as server:
        run = visited(server.pids, LOGIN.format(port=server.port), "--show-secrets", "--proto", "smtp")
    for kind in "client", "server":
        rows = [r for r in run.of(kind) if r["op"] == "AUTH"]
        assert [r["code"] for r in rows] == run.said == [235, 235, 235, 235, 535, 535]
        assert {r["target"] for r in rows} == {"LOGIN", "PLAIN"}
    text = json.dumps(run.rows)
    for secret in "secret", "wrong-one":
        for form in secret, base64.b64encode(secret.encode()).decode(), base64.b64encode(f"\0ann\0{secret}".encode()).decode():
            assert form not in text


SECURE = """
import json, smtplib, ssl
x = ssl.create_default_context()
x.check_hostname, x.verify_mode = False, ssl.CERT_NONE
for i in range(10):
    c = smtplib.SMTP("127.0.0.1", {port})
    c.starttls(context=x)
    c.ehlo()
    c.sendmail("ann@example.org", "bob@example.org", "Subject: x\\r\\n\\r\\ny\\r\\n")
    c.quit()
print(json.dumps(c.sock is None))
"""


def test_what_follows_starttls_is_tls(tmp_path):
    tmp_path.chmod(0o755)
    cert, key, _ = certificate(tmp_path)
    (tmp_path / "both.pem").write_text(key.read_text() + cert.read_text())
    with Postfix(f"smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {tmp_path}/both.pem") as server:
        run = visited(server.pids, SECURE.format(port=server.port), "--proto", "smtp,tls")
    for kind in "client", "server":
        rows = run.of(kind, peer_port=server.port) if kind == "client" else run.of(kind, local_port=server.port)
        for conn in {r["conn"] for r in rows}:
            assert [r["op"] for r in rows if r["conn"] == conn] == ["EHLO", "STARTTLS", "handshake"]
        assert len(rows) == 30
