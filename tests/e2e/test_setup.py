# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests and the demo put on the host is taken away on every way out."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

from rig.proc import ROOT, Held, family, wait_for
from rig.term import C_C, Term

SERVERS = ROOT / "tests/setup/servers.sh"
ABSENT = "obi-no-such-package"  # so that something is missing, whatever is installed
FOREIGN = "#!/bin/sh\n# of the administrator\nexit 0\n"


@pytest.fixture
def fake_apt(folder):
    """An apt-get that says that it runs, then takes its time."""
    (folder / "apt-get").write_text(f"#!/bin/sh\necho $$ >>{folder}/runs\nexec sleep ${{APT_SECONDS:-1000}}\n")
    (folder / "apt-get").chmod(0o755)
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "TMPDIR": str(folder),
            "POLICY": str(folder / "policy-rc.d")}


def text_of(path):
    return path.read_text() if path.exists() else None


@pytest.mark.parametrize("before", ["none", "foreign", "of one that was killed"])
@pytest.mark.parametrize("sig", [None, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_policy_is_kept_or_removed_on_every_way_out(fake_apt, folder, before, sig):
    """Without a signal: the installation fails, as there is no such package."""
    policy = folder / "policy-rc.d"
    gone = subprocess.Popen(["true"])
    gone.wait()
    if before == "foreign":
        policy.write_text(FOREIGN)
    elif before != "none":
        policy.write_text(f"#!/bin/sh\n# put here by obi's tests, process {gone.pid}\nexit 101\n")
    if sig is None:
        fake_apt["APT_SECONDS"] = "0"
    p = subprocess.Popen(["sh", SERVERS, ABSENT], env=fake_apt, start_new_session=True, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    if sig is not None:
        wait_for("apt-get", (folder / "runs").exists)
        assert text_of(policy) == FOREIGN if before == "foreign" else f"process {p.pid}\n" in text_of(policy)
        os.killpg(p.pid, sig)
    status = p.wait(300)
    assert status == (0 if sig is None else 128 + sig)
    assert text_of(policy) == (FOREIGN if before == "foreign" else None)
    assert not list(folder.glob("tmp.*"))


def shops(pids):
    """Folders of the servers among these processes."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            found.update(re.findall("^/tmp/obi-[a-z]+[.][^/]*", os.readlink(f"/proc/{pid}/cwd")))
    return {pathlib.Path(f) for f in found}


@pytest.mark.parametrize("when", ["running:", "Selected: "], ids=["at its start", "under way"])
def test_ctrl_c_ends_the_demo_and_leaves_nothing_running(when):
    with Term(["sh", ROOT / "tests/demo/run.sh"], columns=120) as t:
        t.until("tests/demo|This demo")
        t.until(when)
        started = set(family(t.pid)) - {t.pid}
        made, held = shops(started), Held(started)
        assert len(started) > 5 and len(made) == 3, (started, made)
        t.type(C_C)
        t.wait()
    assert "Traceback" not in t.text, t.text
    assert "seen" in t.text or when == "running:", t.text[-2000:]
    wait_for("what was started to end", lambda: not held.alive())
    assert not [p for p in made if p.exists()]
