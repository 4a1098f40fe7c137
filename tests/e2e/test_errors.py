# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong is said in words, with the exit status of the manual."""
import os
import shutil
import subprocess
import time

import pytest

from rig.obi import OBI, Obi, run as obi_run
from rig.proc import Gate, wait_for

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]
GONE = 4194000  # above any pid in use


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """The program where nobody can run it."""
    folder = tmp_path_factory.mktemp("public")
    for p in (folder, *folder.parents[:2]):
        p.chmod(0o755)
    shutil.copy(OBI, folder / "obi")
    (folder / "obi").chmod(0o755)
    return folder / "obi"


@pytest.mark.parametrize("args,status,words", [
    (["-p", GONE], 5, [str(GONE)]),
    (["--comm", "no-such-comm-anywhere"], 5, ["no-such-comm-anywhere"]),
    (["--nonsense"], 2, ["--nonsense"]),
    (["-p", "abc"], 2, ["abc"]),
    (["-p", "1", "-F", "dur_ms >"], 2, ["dur_ms"]),
    (["-p", "1", "-F", "status > 500"], 2, ["code"]),
    (["-p", "1", "-F", "nonsense = 1"], 2, ["nonsense"]),
    (["-p", "1", "--slower", "5 parsecs"], 2, ["parsecs"]),
    (["-p", "1", "--proto", "nonsense"], 2, ["nonsense"]),
    (["-p", "1", "-o", "nonsense"], 2, ["nonsense"]),
    (["-p", "1", "-w", "/tmp/x.nonsense"], 2, ["nonsense"]),
    (["-p", "1", "-w", "/nowhere/at/all.otlp"], 1, ["/nowhere/at/all.otlp"]),
    (["-r", "/nowhere/at/all.otlp"], 1, ["/nowhere/at/all.otlp"]),
    (["-p", "1", "--ring", "banana"], 2, ["banana"]),
], ids=lambda v: " ".join(map(str, v)) if isinstance(v, list) else "")
def test_wrong_arguments(args, status, words):
    out = obi_run("trace", *args)
    assert out.returncode == status, (out.returncode, out.stderr)
    assert out.stderr.startswith("obi: "), out.stderr
    for w in words:
        assert w in out.stderr, out.stderr
    assert out.stdout == ""


def test_did_you_mean():
    for args, hint in ((["trcae"], "trace"), (["trace", "--slowr", "1s"], "--slower"),
                       (["trace", "-p", "1", "-F", "dur_m > 1"], "dur_ms")):
        out = obi_run(*args)
        assert out.returncode == 2 and hint in out.stderr, out.stderr


def test_without_rights(public):
    out = subprocess.run([*NOBODY, public, "trace", "-p", "1"], capture_output=True, text=True, cwd="/",
                         timeout=300)
    assert out.returncode == 3, out
    assert "not permitted" in out.stderr and "CAP_BPF" in out.stderr and "sudo" in out.stderr


def test_nothing_matched_with_fail_empty():
    with Gate("sleep", "1000") as gate:
        gate.go()
        out = obi_run("trace", "-o", "json", "-p", gate.pid, "-d", "300ms", "--fail-empty")
        assert out.returncode == 6, out.stderr
        out = obi_run("trace", "-o", "json", "-p", gate.pid, "-d", "300ms")
        assert out.returncode == 0, out.stderr


def test_silence_is_explained_after_five_seconds():
    with Gate("sleep", "1000") as gate:
        gate.go()
        begun = time.monotonic()
        with Obi(pids=[gate.pid], output="text", stdout=subprocess.DEVNULL) as obi:
            wait_for("an explanation", lambda: len(obi.stderr.splitlines()) >= 4)
            assert time.monotonic() - begun >= 5
            obi.stop()
    text = obi.stderr
    assert str(gate.pid) in text and ("attached" in text), text


def test_doctor(public):
    out = obi_run("doctor")
    assert out.returncode == 0 and "sock_send_length" in out.stdout, out
    out = obi_run("doctor", "-p", os.getpid(), "-o", "json")
    assert out.returncode == 0 and '"verdict"' in out.stdout, out
    out = obi_run("doctor", "-p", GONE)
    assert out.returncode == 5, out
    out = subprocess.run([*NOBODY, public, "doctor"], capture_output=True, text=True, cwd="/", timeout=300)
    assert "CAP_BPF" in out.stdout + out.stderr, out


def test_doctor_pipeline():
    out = obi_run("doctor", "--pipeline")
    assert out.returncode == 0, out.stderr
    assert "drop" in out.stdout.lower(), out.stdout
