# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings: each format gives back the rows that were shown, to anybody, without the kernel."""
import json
import os
import shutil
import subprocess

import pytest

from rig.accounts import clean
from rig.obi import OBI, Obi, run as obi_run
from rig.proc import Gate
from rig.servers import Nginx, Postgres, Redis

FORMATS = ["run.otlp", "run.jsonl", "run.otlpb", "run.db", "run.obiraw", "run.otlp.zst", "run.otlp.gz",
           "run.otlpb.zst"]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]


@pytest.fixture(scope="module")
def recorded(load, tmp_path_factory):
    """One run that is shown and recorded in every format at once, if -w repeats; else one run a format."""
    folder = tmp_path_factory.mktemp("recorded")
    for p in (folder, *folder.parents[:2]):
        p.chmod(0o755)
    out = {}
    with Nginx() as nginx, Redis() as redis, Postgres() as pg:
        for name in FORMATS:
            with Gate("sh", "-c", f"{load}/http_load {nginx.port} 300 1 {folder}/own; "
                      f"redis-benchmark -p {redis.port} -n 100 -q -t set,get,lrange_100 >/dev/null; "
                      f"psql -X -q -h 127.0.0.1 -p {pg.port} -U postgres -c 'select 1' -c 'select 1/0' "
                      f"-c \"select 'a secret'\" >/dev/null 2>&1; true") as gate, \
                 Obi("--show-secrets", "-w", folder / name,
                     pids=[*nginx.pids, redis.pid, *pg.pids, gate.pid]) as obi:
                gate.run()
                run = obi.stop()
                assert run.status == 0 and run.lost() == 0, run.err
                out[name] = run
        (folder / "own.0").unlink()
    for p in folder.iterdir():
        p.chmod(0o644)
    # nobody must be able to read the program too
    shutil.copy(OBI, folder / "obi")
    (folder / "obi").chmod(0o755)
    return folder, out


def in_order(rows):
    return sorted(rows, key=lambda r: (r["start_ns"], r["span_id"]))


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_gives_the_same_rows_to_a_user_without_rights(recorded, name):
    folder, runs = recorded
    run = runs[name]
    out = subprocess.run([*NOBODY, folder / "obi", "trace", "--show-secrets", "-r", folder / name, "-o", "json"],
                         capture_output=True, text=True, timeout=300, cwd="/")
    assert out.returncode == 0, out.stderr
    *rows, last = map(json.loads, out.stdout.splitlines())
    assert last["summary"]["shown"] == len(run.rows)
    want, got = in_order(run.rows), in_order(rows)
    assert len(got) == len(want)
    for a, b in zip(want, got):
        assert a == b, {k: (a[k], b[k]) for k in a if a[k] != b.get(k)}


@pytest.mark.parametrize("name", FORMATS)
def test_sql_counts_what_was_shown(recorded, name):
    folder, runs = recorded
    out = obi_run("sql", "-r", folder / name, "-o", "json",
                  "select proto, kind, count(*) as n from spans group by 1, 2")
    assert out.returncode == 0, out.stderr
    got = {(r["proto"], r["kind"]): r["n"] for r in map(json.loads, out.stdout.splitlines()) if "n" in r}
    want = {}
    for r in runs[name].rows:
        want[r["proto"], r["kind"]] = want.get((r["proto"], r["kind"]), 0) + 1
    assert got == want


def test_all_formats_print_the_same_text(recorded):
    folder, _ = recorded
    for name in FORMATS:
        text = obi_run("trace", "-r", folder / name, "-o", "text")
        assert text.returncode == 0, text.stderr
        assert "\x1b" not in text.stdout
        assert "/small?" in text.stdout


def test_a_recording_to_standard_output_is_read_from_standard_input(recorded):
    folder, runs = recorded
    made = subprocess.run([OBI, "trace", "--show-secrets", "-r", folder / "run.otlp", "-w", "-"], capture_output=True, timeout=300)
    assert made.returncode == 0, made.stderr
    got = subprocess.run([OBI, "trace", "-r", "-", "-o", "json"], input=made.stdout, capture_output=True,
                         timeout=300)
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout.splitlines()[-1])["summary"]["shown"] == len(runs["run.otlp"].rows)


def test_raw_records_need_show_secrets(recorded):
    folder, _ = recorded
    out = obi_run("trace", "-p", os.getpid(), "-w", folder / "no.obiraw")
    assert out.returncode == 2 and "--show-secrets" in out.stderr


def test_secrets_stay_out_unless_asked_for(folder):
    with Postgres() as pg, Gate(*pg.psql("-c", "SELECT 'the secret'")) as gate, \
         Obi("-w", folder / "run.otlp", pids=[gate.pid]) as obi:
        gate.run()
        run = obi.stop()
    clean(run)
    assert run.rows and "the secret" not in json.dumps(run.rows)
    assert "the secret" not in (folder / "run.otlp").read_text()


def test_split_writes_one_file_a_signal(folder):
    with Nginx() as nginx, Obi("-w", folder / "run.otlp", "--split", pids=nginx.pids) as obi:
        subprocess.run(["curl", "-s", f"http://127.0.0.1:{nginx.port}/small"], stdout=subprocess.DEVNULL)
        run = obi.stop()
    clean(run)
    files = sorted(folder.glob("run*"))
    assert len(files) >= 2, files
    for f in files:
        keys = {k for line in f.read_text().splitlines() for k in json.loads(line)}
        assert len(keys) == 1, (f, keys)
