# SPDX-License-Identifier: GPL-3.0-or-later
"""obi sql at a prompt: as a person uses it, on a terminal."""
import os
import pwd
import stat
import subprocess

import pytest

from rig.obi import OBI
from rig.proc import ROOT
from rig.term import C_C, C_D, TAB, UP, Term

RECORDING = ROOT / "tests/golden/shop-text/in.obiraw"
PROMPT = r"obi> "
ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c;"


@pytest.fixture
def shell(tmp_path):
    """Starts a shell on the recording, its home in a folder of its own."""
    open_shells = []

    def start(*args, rows=30, columns=100, **env):
        t = Term([OBI, "sql", "-r", RECORDING, *args], rows, columns, {"HOME": str(tmp_path), **env}, tmp_path)
        open_shells.append(t)
        t.until(PROMPT)
        return t
    yield start
    for t in open_shells:
        t.__exit__()


def leave(t):
    """Ctrl-D, at the prompt."""
    t.until_reads_keys()
    t.type(C_D)
    assert t.wait() == 0


def ask(t, line):
    """A line at the prompt; it is taken when this returns."""
    t.until_reads_keys()
    t.enter(line)
    t.until_reads_keys(False)


def cancel(t):
    """Ctrl-C while a statement runs that would never end."""
    ask(t, ENDLESS)
    t.type(C_C)
    t.until("canceled")


def test_the_banner_says_what_was_loaded(shell):
    t = shell()
    assert "in.obiraw" in t.text and "28 spans, 16 connections, 13 processes" in t.text
    assert "from 06:46:35" in t.text
    leave(t)


def test_a_statement_goes_over_lines_and_a_line_below_says_what_it_took(shell):
    t = shell()
    t.enter("select proto, count(*) n")
    t.until(r"\.\.\.> ")
    t.enter("  from spans group by 1;")
    out = t.until(r"\((\d+) rows, [0-9.]+ ms, 28 rows read\)")
    assert "(4 rows" in out and "postgresql  8" in out.replace("   ", " ").replace("  ", "  ")
    leave(t)


@pytest.mark.parametrize("keys, want", [
    ("select count(*) from conn" + TAB, "from connections "),
    ("select trans" + TAB + " from connections", "select transport "),
    ("select sparkl" + TAB, "select sparkline("),
    ("SELECT 1 UNIO" + TAB, "UNION "),
    (".sch" + TAB + "cap" + TAB, ".schema capture"),
    (".run busi" + TAB + "com" + TAB, ".run busiest_connections comm="),
    (".mode mark" + TAB, ".mode markdown"),
])
def test_tab_completes(shell, keys, want):
    t = shell()
    t.type(keys)
    t.until(want.replace("(", r"\(").replace(".", r"\."))
    t.type(C_C)
    t.until(PROMPT)
    leave(t)


def test_an_alias_and_text_behind_the_cursor_decide_which_columns(shell):
    t = shell()
    t.type("select s. from spans s limit 5;" + "\x1b[D" * len(" from spans s limit 5;") + "ttf" + TAB)
    t.until("ttfb_ms")
    t.enter("")
    t.until(r"5 rows")
    t.until(PROMPT)
    t.type("select  from connections;" + "\x1b[D" * len(" from connections;") + "lost" + TAB)
    t.until("lost_bytes")
    t.enter("")
    t.until(r"16 rows")
    leave(t)


def test_files_are_completed(shell, tmp_path):
    (tmp_path / "some-script.sql").write_text("select 40 + 2 as answer;\n")
    t = shell()
    t.enter(".read some" + TAB)
    t.until("42")
    leave(t)


def test_the_history_outlives_the_shell(shell, tmp_path):
    t = shell()
    t.enter("select 'first',")
    t.until(r"\.\.\.> ")
    t.enter("'second';")
    t.until("1 row,")
    t.until(PROMPT)
    t.enter(" select 'kept to myself';")
    t.until("1 row,")
    t.until(PROMPT)
    t.enter("select 'x' as password;")
    t.until("1 row,")
    t.until(PROMPT)
    leave(t)
    path = tmp_path / ".local/state/obi/history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"select 'first',\x01'second';\n"
    t = shell()
    t.type(UP)
    t.until("'second';")
    t.enter("")
    t.until("1 row,")
    leave(t)


def test_behind_sudo_the_history_is_the_users(folder):
    user = pwd.getpwnam("nobody")
    state = folder / "state"
    state.mkdir()
    os.chown(state, user.pw_uid, user.pw_gid)
    # the home of nobody does not exist: nothing is kept, and it is said once
    env = {"SUDO_UID": str(user.pw_uid), "SUDO_GID": str(user.pw_gid), "HOME": "/root"}
    with Term([OBI, "sql", "-r", RECORDING], env=env) as t:
        t.until(PROMPT)
        t.enter("select 1;")
        t.until("no history is kept")
        t.until(PROMPT)
        t.enter("select 2;")
        t.until("1 row,")
        assert t.text.count("no history is kept") == 1
        leave(t)


def test_ctrl_c_stops_the_statement_and_clears_the_line(shell):
    t = shell()
    cancel(t)
    t.until(PROMPT)
    t.type("select nonsense" + C_C)
    t.until(PROMPT)
    t.enter("select 1,")
    t.until(r"\.\.\.> ")
    t.type(C_C)
    t.until(PROMPT)
    t.enter("select 6 * 7;")
    t.until("42")
    leave(t)


def test_errors_say_what_was_meant(shell):
    t = shell()
    for line, want in [("select * from span;", "did you mean spans"), ("select dur from spans;", "did you mean dur_ms"),
                       ("select pp95(dur_ms) from spans;", "did you mean p95"), ("selct 1;", "did you mean select"),
                       (".tabels", "Did you mean .tables"), (".run slwo", "Did you mean slow"),
                       (".mode jsno", "Did you mean json"), (".schema span", "Did you mean spans"),
                       (".run slow x=1", "no such parameter"), (".read nowhere", "cannot read nowhere")]:
        t.enter(line)
        t.until(want)
        t.until(PROMPT)
    leave(t)


def test_watch_repeats_until_ctrl_c(shell):
    t = shell()
    t.enter(".watch")
    t.until("no statement to repeat")
    t.until(PROMPT)
    t.enter("select count(*) as spans from spans;")
    t.until("1 row,")
    t.until(PROMPT)
    t.enter(".watch 0.2")
    for _ in range(3):
        t.until(r"every 0.2 s")
        t.until(r"1 row,")
    t.type(C_C)
    t.until(PROMPT)
    leave(t)


def test_export_and_output_write_files(shell, tmp_path):
    t = shell()
    t.enter("select proto, count(*) as n from spans group by 1;")
    t.until("4 rows")
    t.until(PROMPT)
    for name, first in [("a.csv", "proto,n"), ("a.json", '{"proto":"http","n":8}'), ("a.md", "| proto | n |")]:
        t.enter(f".export {name}")
        t.until(f"wrote 4 rows to {name}")
        t.until(PROMPT)
        assert (tmp_path / name).read_text().splitlines()[0] == first
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    for line in ".output all.txt", "select 'to a file' as t;", ".output":
        t.enter(line)
        t.until(PROMPT)
    t.enter("select 'to the ' || 'screen' as t;")
    t.until("to the screen")
    assert "to a file" in (tmp_path / "all.txt").read_text()
    leave(t)


def test_recipes_run_with_parameters(shell):
    t = shell()
    t.enter(".recipes slow")
    out = t.until(PROMPT)
    t.enter(".recipes slo")
    out = t.until(PROMPT)
    assert "slow_peers" in out and "slow_sql" in out
    t.enter(".run slow limit=3 service=nginx")
    t.until(r"\(3 rows")
    leave(t)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_rows_do_not_run_past_the_screen(shell, columns):
    t = shell(columns=columns)
    t.enter("select * from spans limit 2;")
    out = t.until(r"have no room")
    lines = out.replace("\r", "").splitlines()
    rows = [line for line in lines if "-  " in line or line.endswith(" >") or "2026-" in line]
    assert rows and all(len(line) <= columns for line in rows), rows
    assert any(line.endswith(" >") for line in lines)
    t.until(PROMPT)
    t.enter(".mode line")
    t.until(PROMPT)
    t.enter("select trace_id, dur_ms from spans limit 1;")
    t.until(r"dur_ms = \d")
    leave(t)


def test_a_long_result_stops_at_each_screen(shell):
    t = shell(rows=10)
    t.enter("with recursive c(x) as (select 1 union all select x + 1 from c limit 50) select x from c;")
    out = t.until("-- more")
    assert out.count("\n") <= 11
    for key in "\r", " ", "q":
        t.until_reads_keys()
        t.type(key)
        if key != "q":
            t.until("-- more")
    t.until("50 rows")
    t.until(PROMPT)
    leave(t)


def test_a_long_result_goes_through_the_pager(shell):
    t = shell(rows=10, PAGER="sed s/^/paged:/")
    t.enter("with recursive c(x) as (select 1 union all select x + 1 from c limit 50) select x from c;")
    assert t.until("50 rows").count("paged:") == 52
    leave(t)


def test_off_a_terminal_nothing_has_changed():
    def sql(text):
        return subprocess.run([OBI, "sql", "-r", RECORDING], input=text, capture_output=True, text=True, timeout=60)
    good = sql("select count(*) as n\nfrom spans;\n.tables\n")
    assert good.returncode == 0 and good.stdout.startswith(" n\n28\n") and not good.stderr
    bad = sql("select nought from spans;\nselect 1 as one;\n")
    assert bad.returncode == 1 and "no such column" in bad.stderr and "one" in bad.stdout
    assert sql("selct 1").returncode == 1


def test_without_terminfo_it_still_works(shell):
    t = shell(TERM="no-such-terminal", TERMINFO="/nowhere")
    t.enter("select 6 * 7;")
    t.until("42")
    leave(t)


def test_live_rows_come_in_while_one_asks(folder):
    server = subprocess.Popen(["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"], cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(server.stdout.readline().split(" port ")[1].split()[0])
        with Term([OBI, "sql", "-p", server.pid], env={"HOME": str(folder)}) as t:
            t.until(r"obi: attached \d+ of \d+ probes")
            t.until(PROMPT)
            t.enter("select 'n=' || count(*) as n from spans;")
            t.until("n=0")
            for _ in range(5):
                subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"], check=True)
            for _ in range(100):  # what was just sent may not be there yet
                t.until(PROMPT)
                t.enter("select 'n=' || count(*) as n from spans;")
                if "n=5" in t.until(r"n=\d"):
                    break
            t.until(PROMPT)
            cancel(t)
            server.terminate()
            server.wait()
            t.until("the target is gone")
            t.enter("select 'still ' || count(*) as n from spans;")
            t.until("still 5")
            leave(t)
            assert "seen 5" in t.text
    finally:
        server.kill()
        server.wait()


def test_view_opens_the_rows_in_the_interface_and_q_comes_back(shell):
    t = shell()
    t.enter("select proto, count(*) n from spans group by 1 order by 1;")
    t.until(r"\(4 rows")
    t.until(PROMPT)
    t.enter(".view")
    t.until(r"SQL: select proto, count\(\*\) n")
    t.until(r"postgresql")
    t.type("q")
    t.until(PROMPT)
    t.enter("select 40 + 2;")
    t.until(r"42")
    leave(t)


def test_view_of_a_ready_query_has_its_parameters(shell):
    t = shell()
    t.enter(".run slow limit=2")
    t.until(r"\(2 rows")
    t.until(PROMPT)
    t.enter(".view")
    t.until(r"1/2")
    t.type("q")
    t.until(PROMPT)
    leave(t)
