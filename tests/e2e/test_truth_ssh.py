# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH handshakes of OpenSSH's client and server against what both wrote down."""
import pathlib
import re
import subprocess

import pytest

from rig.accounts import clean, times_are_sane
from rig.obi import Obi
from rig.servers import Server

N = 20


class Sshd(Server):
    """It lets nobody in: each connection ends behind its handshake."""

    def prepare(self):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir / "key"], check=True)
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        (self.dir / "conf").write_text(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.dir}/key\n"
                                       f"PidFile none\nUsePAM no\nAuthorizedKeysFile none\nMaxStartups 100\n")

    def mark(self):
        pass

    def command(self):
        return ["/usr/sbin/sshd", "-D", "-e", "-f", self.dir / "conf"]


@pytest.fixture(scope="module")
def run():
    with Sshd() as server:
        def visit(*flags):
            return subprocess.run(["ssh", "-v", "-F", "none", "-oBatchMode=yes", "-oStrictHostKeyChecking=no",
                                   "-oUserKnownHostsFile=/dev/null", *flags, "-p", str(server.port), "127.0.0.1", "true"],
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL).stderr
        with Obi("--comm", "ssh*", "--proto", "ssh") as obi:
            said = [visit() for _ in range(N)]
            failed = visit("-oKexAlgorithms=diffie-hellman-group14-sha1")
            run = obi.stop()
    run.said, run.failed = said, failed
    yield run


def test_every_handshake_is_one_span_of_either_side(run):
    clean(run)
    times_are_sane(run.rows)
    for kind in "client", "server":
        rows = run.of(kind, "ssh", error=False)
        assert len(rows) == N == sum("SSH2_MSG_NEWKEYS received" in x for x in run.said)
        assert {r["name"] for r in rows} == {"SSH handshake"}
        assert all(r["req_bytes"] > 700 and r["resp_bytes"] > 1000 for r in rows), rows[0]


def test_versions_are_those_that_both_sides_announce(run):
    local = re.search(r"Local version string (\S+.*)", run.said[0])[1].strip()
    remote = re.search(r"remote software version (.*)", run.said[0])[1].strip()
    for r in run.rows:
        assert r["attrs"]["obi.ssh.client.version"] == local
        assert r["attrs"]["obi.ssh.server.version"] == "SSH-2.0-" + remote


def test_a_handshake_that_fails_says_so(run):
    assert "no matching key exchange method found" in run.failed
    rows = run.of(proto="ssh", error=True)
    assert sorted(r["kind"] for r in rows) == ["client", "server"]
    assert {r["error_type"] for r in rows} <= {"closed", "key_exchange_failed"}
