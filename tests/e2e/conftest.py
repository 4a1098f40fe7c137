# SPDX-License-Identifier: GPL-3.0-or-later
"""Needs root and a built obi; builds the load generators once."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from rig.obi import OBI  # noqa: E402
from rig.proc import ROOT  # noqa: E402

LIBS = {
    "http_load": ["-pthread"],
    "redis_load": ["-lhiredis"],
    "pg_pipeline": ["-I/usr/include/postgresql", "-lpq"],
    "mysql_load": ["-I/usr/include/mariadb", "-lmariadb"],
    "uring": ["-luring"],
}


def leave(*_):
    raise KeyboardInterrupt


def pytest_configure(config):
    signal.signal(signal.SIGTERM, leave)  # so that servers are stopped then too
    signal.signal(signal.SIGHUP, leave)
    # ignored where the tests run in the background; what they start would ignore it too, and a shell cannot trap it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.getuid() != 0:
        pytest.exit("the end-to-end tests need root: sudo make check-e2e", 3)
    if not os.access(OBI, os.X_OK):
        pytest.exit(f"{OBI} is missing: make", 1)


@pytest.fixture(scope="session")
def load(tmp_path_factory):
    """Folder with the load generators, built."""
    out = tmp_path_factory.mktemp("load")
    out.chmod(0o755)
    for src in sorted((ROOT / "tests/load").glob("*.c")):
        flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2"]
        if src.stem == "split":
            subprocess.run(["gcc", *flags, "-fPIC", "-shared", "-o", out / "split.so", src], check=True)
        else:
            subprocess.run(["gcc", *flags, "-o", out / src.stem, src, *LIBS.get(src.stem, [])], check=True)
    return out


@pytest.fixture
def folder(tmp_path):
    """A folder that every user can enter."""
    for p in (tmp_path, *tmp_path.parents):
        if p == pathlib.Path("/tmp"):
            break
        p.chmod(p.stat().st_mode | 0o755)
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(autouse=True)
def limit():
    """No test may hang: 600 s each, on whatever machine."""
    def late(*_):
        raise TimeoutError("the test took longer than 600 s")
    old = signal.signal(signal.SIGALRM, late)
    signal.alarm(600)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)
