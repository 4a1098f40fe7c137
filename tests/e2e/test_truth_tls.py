# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS handshakes of both sides against what OpenSSL told the client and nginx wrote down."""
import json
import subprocess
import sys
import time

import pytest

from rig.accounts import clean, inside, times_are_sane
from rig.obi import Obi, run as obi_run
from rig.proc import ROOT, Client, end
from rig.servers import Nginx, Server

N = 1000
STANDARD = {  # OpenSSL's names of what these clients and servers agree upon
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "AES128-GCM-SHA256": "TLS_RSA_WITH_AES_128_GCM_SHA256",
}
LOG = "log_format tls '$remote_port\\t$ssl_protocol\\t$ssl_cipher\\t$ssl_server_name\\t$ssl_session_reused\\t$ssl_curve';"


def certificate(folder, subject="/O=Example, Inc./CN=shop.example.org", key=("ec", "ec_paramgen_curve:prime256v1")):
    """Paths of a new certificate and its key; its end as OpenSSL prints it."""
    cert, own = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-days", "30",
                    "-subj", subject, "-keyout", own, "-out", cert], check=True, capture_output=True)
    end_of = subprocess.run(["openssl", "x509", "-in", cert, "-noout", "-enddate", "-dateopt", "iso_8601"],
                            check=True, capture_output=True, text=True).stdout
    return cert, own, end_of.strip().removeprefix("notAfter=").replace(" ", "T")


class Secure(Nginx):
    def prepare(self):
        cert, key, self.not_after = certificate(self.dir)
        self.listen = "ssl"
        self.upstreams = LOG
        self.extra = (f"access_log {self.dir}/tls.log tls; ssl_certificate {cert}; ssl_certificate_key {key};"
                      "ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_cache none;")
        super().prepare()

    def mark(self):
        (self.dir / "tls.log").write_text("")

    def account(self):
        """port: version, cipher, name, resumed, curve."""
        rows = [x.split("\t") for x in (self.dir / "tls.log").read_text().splitlines()]
        return {int(r[0]): r[1:] for r in rows}


@pytest.fixture(scope="module")
def server():
    with Secure(workers=1) as nginx:
        yield nginx


def traced(pids, *argv):
    """Run of obi on these and on a client; what the client printed, its pid and exit status."""
    with Client(*argv) as client, Obi(pids=[*pids, client.pid]) as obi:
        out = client.run("\n", check=False)
        run = obi.stop()
    run.out, run.client_err, run.client, run.code = out, client.err, client.pid, client.code
    return run


@pytest.fixture(scope="module")
def run(server):
    server.mark()
    run = traced(server.pids, sys.executable, ROOT / "tests/load/tls_load.py", server.port, N)
    assert run.code == 0, run.client_err
    run.did = {d["port"]: d for d in json.loads(run.out)}
    run.account, run.not_after = server.account(), server.not_after
    run.clients = {r["local_port"]: r for r in run.of("client", "tls")}
    run.servers = {r["peer_port"]: r for r in run.of("server", "tls")}
    yield run


def test_every_handshake_is_one_span_of_either_side(run):
    clean(run)
    assert len(run.did) == N and not run.of(proto="http")
    assert run.clients.keys() == run.servers.keys() == run.did.keys() == run.account.keys()
    assert len(run.rows) == 2 * N
    times_are_sane(run.rows)
    for r in run.rows:
        assert (r["name"], r["op"], r["error"]) == ("TLS handshake", "handshake", False)
        assert 200 < r["req_bytes"] < 2000 and 100 < r["resp_bytes"] < 3000, r


def test_names_versions_ciphers_and_resumption(run):
    for port, did in run.did.items():
        version, cipher, name, reused, curve = run.account[port]
        for r in run.clients[port], run.servers[port]:
            a = r["attrs"]
            assert r["target"] == did["name"] == a.get("server.address")
            assert name == (did["name"] or "-") or did["resumed"]  # nginx does not know it then
            assert (a["tls.protocol.name"], a["tls.protocol.version"]) == ("tls", did["version"])
            assert version == "TLSv" + did["version"]
            assert a["tls.cipher"] == STANDARD.get(did["cipher"], did["cipher"])
            assert cipher == did["cipher"]
            assert a["tls.resumed"] is did["resumed"] is (reused == "r")
            if "tls.curve" in a:
                assert a["tls.curve"] in (curve.lower(), "x25519")
            assert a.get("obi.tls.offered") == ("x-obi,http/1.1" if did["offers"] else None)
            assert a.get("tls.next_protocol") == (did["alpn"] if did["version"] == "1.2" else None)
    assert {d["resumed"] for d in run.did.values()} == {False, True}


def test_the_certificate_is_read_where_it_is_not_encrypted(run):
    n = 0
    for port, did in run.did.items():
        for r in run.clients[port], run.servers[port]:
            got = [r["attrs"].get("tls.server." + k) for k in ("subject", "issuer", "not_after")]
            plain = did["version"] == "1.2" and not did["resumed"]
            name = "CN=shop.example.org,O=Example\\, Inc."
            assert got == ([name, name, run.not_after] if plain else [None] * 3)
            n += plain
    assert n >= N / 4


def test_a_clients_handshake_holds_the_servers(run):
    # with 1.3 the client is done before the server has read its last word
    old = {p for p, d in run.did.items() if d["version"] == "1.2" and not d["resumed"]}
    assert inside([run.servers[p] for p in old], [run.clients[p] for p in old]) == len(old)


def test_curl_and_nginx(server):
    for version in "1.2", "1.3":
        run = traced(server.pids, "curl", "-sk", f"--tlsv{version}", "--tls-max", version, "--resolve",
                     f"api.example.org:{server.port}:127.0.0.1", f"https://api.example.org:{server.port}/small")
        assert run.out == "small\n"
        clean(run)
        assert sorted(r["kind"] for r in run.rows) == ["client", "server"]
        for r in run.rows:
            assert (r["proto"], r["target"], r["attrs"]["tls.protocol.version"]) == ("tls", "api.example.org", version)
            assert r["attrs"]["obi.tls.offered"] == "h2,http/1.1"


class Openssl(Server):
    flags = ()

    def mark(self):
        pass

    def command(self):
        cert, key, _ = certificate(self.dir, key=("rsa", "rsa_keygen_bits:2048"))
        return ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{self.port}", "-cert", cert, "-key", key,
                "-www", *self.flags]


@pytest.mark.parametrize("server_flags, client_flags, error, by", [
    (["-tls1_3"], ["-tls1_3", "-verify_return_error", "-verify", "1"], "unknown_ca", "client"),
    (["-tls1_2"], ["-tls1_2", "-verify_return_error", "-verify", "1"], "unknown_ca", "client"),
    (["-tls1_3"], ["-tls1_2"], "protocol_version", "server"),
    (["-tls1_2", "-cipher", "AES256-SHA256"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], "handshake_failure", "server"),
    (["-tls1_2", "-cipher", "AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], None, None),
])
def test_handshakes_that_fail(server_flags, client_flags, error, by):
    server = Openssl()
    server.flags = server_flags
    with server:
        run = traced(server.pids, "openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "a.b",
                     *client_flags)
    clean(run)
    assert sorted(r["kind"] for r in run.of(proto="tls")) == ["client", "server"], run.rows
    for r in run.of(proto="tls"):
        a = r["attrs"]
        want = ["unknown_ca", "self_signed"] if error == "unknown_ca" else [error]
        assert r["error"] == bool(error) and r["error_type"] in want, r
        assert r["status"] == r["error_type"] and a.get("obi.tls.alert.by") == by
        assert r["target"] == "a.b"
        if not error:
            assert a["tls.cipher"] == "TLS_RSA_WITH_AES_128_GCM_SHA256" and a["tls.server.subject"].startswith("CN=shop")


def test_a_connection_that_was_open_before_is_named_and_muted(server, folder):
    argv = ["openssl", "s_client", "-quiet", "-connect", f"127.0.0.1:{server.port}"]
    client = subprocess.Popen(argv, text=True, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)

    def ask():
        client.stdin.write("GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        while client.stdout.readline() != "small\n":
            pass
    try:
        ask()
        with Obi("-w", folder / "run.otlp", pids=[client.pid]) as obi:
            for i in range(30):
                ask()
                time.sleep(1 if i == 10 else 0)  # until it is muted
            end(client)
            run = obi.stop(busy=True)
    finally:
        end(client)
    clean(run)
    assert run.rows == []
    out = obi_run("sql", "-r", folder / "run.otlp", "-o", "json", "select * from connections").stdout
    rows = [r for r in map(json.loads, out.splitlines()) if r["peer_port"] == server.port]
    assert [(r["proto"], r["flags"]) for r in rows] == [("tls", "joined-mid")], rows
    assert rows[0]["why"].startswith("encrypted")
    assert rows[0]["cut_bytes"] >= 19 * len("small\n") and rows[0]["unseen_bytes"] == 0
