# SPDX-License-Identifier: GPL-3.0-or-later
"""LDAP spans of both sides against libldap's account and slapd's log."""
import json
import subprocess
import sys
from collections import Counter

import pytest

from rig.accounts import clean, inside, same, times_are_sane
from rig.obi import Obi
from rig.proc import ROOT, end
from rig.slapd import Slapd
from test_truth_tls import certificate

N = 100
GATE = ["/bin/sh", "-c", 'read -r _; exec "$@"', "gate"]


def load(server, *args, middle=False, secrets=False):
    """Run of obi on the server and on a load; what the load and the server counted."""
    argv = [sys.executable, ROOT / "tests/load/ldap_load.py", server.port, *args]
    client = subprocess.Popen([str(a) for a in ([] if middle else GATE) + argv], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if middle:
            assert client.stdout.readline() == "ready\n"
        server.mark()
        with Obi("--proto", "ldap", *(["--show-secrets"] if secrets else []), pids=[server.pid, client.pid]) as obi:
            out, _ = client.communicate("\n", timeout=300)
            assert not client.returncode
            run = obi.stop()
    finally:
        end(client)
    run.did = Counter(json.loads(out)["did"])
    run.clients, run.servers = run.of("client", pid=client.pid), run.of("server", pid=server.pid)
    return run


@pytest.fixture(scope="module", params=["from the start", "in the middle"])
def run(request):
    middle = request.param == "in the middle"
    with Slapd() as server:
        run = load(server, N, int(middle), middle=middle)
        run.account = server.account(closed=N // 10 + 1)
    yield run


def entries(row):
    return f' {row["attrs"]["db.response.returned_rows"]}' if row["op"] == "search" else ""


def told(row):
    return f'{row["op"]} {row["status"]}{entries(row)}'


def finished(rows):
    """All but the search that is abandoned: it may have been answered before."""
    return [r for r in rows if not (r["op"] == "search" and "obi.ldap.attributes" not in r["attrs"]
                                    and r["attrs"]["obi.ldap.filter"] == "(objectClass=*)"
                                    and r["attrs"]["obi.ldap.scope"] == "sub")]


def test_both_sides_equal_the_clients_account(run):
    clean(run)
    assert run.did.total() > 1000
    for rows in run.clients, run.servers:
        same(map(told, finished(rows)), run.did, "libldap")


def test_both_sides_equal_the_servers_log(run):
    for rows in run.clients, run.servers:
        left = [r for r in rows if r not in finished(rows)]
        assert len(left) == run.account["abandon"] == 1 and left[0]["status"] in ("abandoned", "success")
        ops = Counter("unbind" if r["op"] == "unbind" else f'{r["op"]} {r["code"]}{entries(r)}' for r in finished(rows))
        log = run.account - Counter(abandon=1)
        if left[0] in run.servers:
            last = log - ops
            assert last.total() <= 1 and all(k.startswith("search 0 ") for k in last), last
            log -= last
            same(ops, log, "slapd")


def test_searches_and_errors_say_what_was_asked(run):
    for rows in run.clients, run.servers:
        ops = {r["op"] for r in rows}
        assert ops >= {"search", "modify", "add", "delete", "modifyDN", "compare", "extended", "unbind", "bind"}
        assert {r["name"] for r in rows if r["op"] == "search"} == {"LDAP search"}
        found = [r for r in rows if r["attrs"].get("obi.ldap.filter") == "(&(objectClass=inetOrgPerson)(uid=?))"]
        assert len(found) == N and {r["attrs"]["obi.ldap.scope"] for r in found} == {"sub"}
        assert {r["attrs"]["obi.ldap.attributes"] for r in found} == {"cn,mail"}
        assert {r["target"] for r in found} == {"dc=example,dc=org"}
        assert {r["target"] for r in rows if r["op"] == "modify"} == {"uid=?,ou=people,dc=example,dc=org"}
        big = [r for r in rows if r["op"] == "search" and r["resp_bytes"] and r["resp_bytes"] > 10000]
        assert big
    bad = [r for r in run.clients if r["error"]]
    assert {r["error_type"] for r in bad} == {"noSuchObject", "entryAlreadyExists", "invalidCredentials"}
    assert not any(r["error"] for r in run.servers)


def test_times(run):
    times_are_sane(run.rows)
    answered = [[r for r in finished(rows) if r["op"] != "unbind"] for rows in (run.servers, run.clients)]
    inside(*answered)


def test_credentials_are_shown_to_nobody():
    with Slapd() as server:
        run = load(server, 10, 0, secrets=True)
    clean(run)
    text = json.dumps([r for r in run.rows])
    assert "uid=person1,ou=people" in text
    assert {r["attrs"]["obi.ldap.bind.method"] for r in run.rows if r["op"] == "bind"} == {"simple", "anonymous"}
    assert "wrong-one" not in text and "secret" not in text


SECURE = """
import ldap
for i in range(10):
    c = ldap.initialize("ldap://127.0.0.1:{port}")
    c.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_NEVER)
    c.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    c.start_tls_s()
    c.simple_bind_s()
    c.unbind_s()
"""


def test_what_follows_starttls_is_tls(tmp_path):
    tmp_path.chmod(0o755)
    cert, key, _ = certificate(tmp_path)
    with Slapd(f"TLSCertificateFile {cert}\nTLSCertificateKeyFile {key}") as server:
        client = subprocess.Popen([*GATE, sys.executable, "-c", SECURE.format(port=server.port)], text=True,
                                  stdin=subprocess.PIPE)
        try:
            with Obi("--proto", "ldap,tls", pids=[server.pid, client.pid]) as obi:
                client.communicate("\n", timeout=100)
                assert not client.returncode
                run = obi.stop()
        finally:
            end(client)
    clean(run)
    for kind in "client", "server":
        rows = run.of(kind)
        assert len(rows) == 20
        for conn in {r["conn"] for r in rows}:
            assert [r["op"] for r in rows if r["conn"] == conn] == ["extended", "handshake"]
        assert {r["target"] for r in rows if r["op"] == "extended"} == {"StartTLS"}
