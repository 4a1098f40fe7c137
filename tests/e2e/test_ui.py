# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface on a real terminal (tmux), over live traffic."""
import contextlib
import itertools
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from rig.obi import OBI
from rig.proc import ROOT, wait_for
from rig.servers import Nginx

RECORDING = ROOT / "tests/golden/shop-text/in.obiraw"


@pytest.fixture(scope="module")
def nginx():
    with Nginx() as n:
        yield n


def get(port, target):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while s.recv(65536):
            pass


@contextlib.contextmanager
def traffic(port):
    """One request each 20 ms; every tenth is for what is not there."""
    over = threading.Event()

    def run():
        n = 0
        while not over.is_set():
            get(port, "/missing" if n % 10 == 0 else "/small")
            n += 1
            time.sleep(0.02)

    t = threading.Thread(target=run)
    t.start()
    try:
        yield
    finally:
        over.set()
        t.join()


class Tmux:
    number = itertools.count()

    def __init__(self, width, height, **env):
        self.name = f"obi-test-{os.getpid()}-{next(Tmux.number)}"
        self.env = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PS1": "$ ", **env}
        self.env.pop("TMUX", None)
        self("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height), "sh")

    def __call__(self, *args):
        return subprocess.run(["tmux", "-L", self.name, *args], env=self.env, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self("kill-server")

    def keys(self, *keys):
        self("send-keys", *keys)

    def screen(self):
        return self("capture-pane", "-p").split("\n")[:-1]

    def sees(self, pattern, but=None):
        """The first screen that has the pattern, and not the other one."""
        def screen():
            lines = self.screen()
            text = "\n".join(lines)
            return re.search(pattern, text, re.M) and not (but and re.search(but, text, re.M)) and lines
        return wait_for(pattern, screen)


@pytest.mark.parametrize("width,height", [(80, 24), (200, 50)])
def test_live_list_detail_filter_quit(nginx, width, height):
    pids = ",".join(map(str, nginx.pids))
    with Tmux(width, height) as t, traffic(nginx.port):
        t.keys("stty -a >/tmp/obi-test-stty.1; clear", "Enter")
        t.keys(f"{OBI} trace -p {pids}", "Enter")
        lines = t.sees(r"GET /small")
        t.sees(r"\Aobi trace .*LIVE.*\n.*seen \d+ shown \d+ lost 0")
        assert len(lines) == height and all(len(line) <= width for line in lines)
        t.sees(r"follow")
        t.keys("f")
        t.keys("-l", "code = 404")
        t.sees(r"[\d,]+ rows? fit")
        t.keys("Enter")
        t.sees(r"Filter: code = 404")
        t.sees(r"GET /missing", but="GET /small")
        t.keys("Enter")
        t.sees(r"^GET /missing +404 ")
        t.keys("Escape")
        t.keys("p")
        t.sees(r"PAUSED")
        t.sees(r"paused, \+[1-9][\d,]* new")
        t.keys("q")
        t.sees(r"^busiest")  # the summary, on the shell's own screen again
        t.keys("stty -a >/tmp/obi-test-stty.2; echo same=$(cmp -s /tmp/obi-test-stty.[12] && echo yes)", "Enter")
        t.sees(r"same=yes")


def test_a_recording_is_switched_on_and_off_by_key(nginx, folder):
    with Tmux(80, 24) as t, traffic(nginx.port):
        t.keys(f"cd {folder}; {OBI} trace -p {','.join(map(str, nginx.pids))}", "Enter")
        t.sees(r"GET /small")
        t.keys("r")
        t.sees(r"recording into obi-[\d-]+\.otlp")
        t.sees(r"^obi trace.*REC obi-[\d-]+\.otlp [1-9][\d,]* ")
        t.keys("r")
        said = "\n".join(t.sees(r"^[\d,]+ requests recorded: obi trace -r obi-\S+$", but=r"\A.* REC "))
        n, name = re.search(r"^([\d,]+) requests recorded: obi trace -r (\S+)$", said, re.M).groups()
        rows = [json.loads(line) for line in subprocess.run(
            [OBI, "trace", "-q", "-o", "json", "-r", folder / name], check=True, text=True,
            stdout=subprocess.PIPE).stdout.splitlines()]
        assert sum("summary" not in r for r in rows) == int(n.replace(",", "")) > 0
        t.keys(":record again.otlp", "Enter")
        t.sees(r"REC again\.otlp [1-9]")
        t.keys("q")
        t.sees(r"^recorded +again\.otlp")  # the summary tells where it went
    assert sorted(p.name for p in folder.iterdir()) == sorted(["again.otlp", name])

def test_the_terminal_is_given_back_on_sigterm_and_after_ctrl_z(nginx):
    with Tmux(100, 30) as t:
        t.keys(f"bash -i", "Enter")
        t.keys(f"{OBI} trace -p {nginx.pids[0]}", "Enter")
        t.sees(r"Waiting for traffic")
        t.keys("C-z")
        t.sees(r"Stopped")
        t.keys("fg", "Enter")
        t.sees(r"Waiting for traffic")
        pid = subprocess.run(["pgrep", "-nf", f"^{OBI} trace -p {nginx.pids[0]}"], text=True,
                             stdout=subprocess.PIPE, check=True).stdout.strip()
        os.kill(int(pid), signal.SIGTERM)
        t.sees(r"seen \d+  shown \d+")
        t.keys("echo it is $((40 + 2))", "Enter")
        t.sees(r"it is 42")


def test_resize_and_too_small():
    with Tmux(100, 30) as t:
        t.keys(f"{OBI} trace -r {RECORDING}", "Enter")
        t.sees(r"GET /missing")
        t("resize-window", "-x", "60", "-y", "20")
        t.sees(r"obi trace.*\[\?\]")
        t("resize-window", "-x", "30", "-y", "8")
        t.sees(r"obi needs 40x10")
        t("resize-window", "-x", "120", "-y", "40")
        t.sees(r"GET /missing")
        t.keys("q")


def test_without_a_description_of_the_terminal():
    with Tmux(100, 30, TERMINFO="/nonexistent") as t:
        t.keys(f"TERM=no-such-terminal {OBI} trace -r {RECORDING}", "Enter")
        t.sees(r"GET /missing")
        t.keys("Down", "Down", "Enter")
        t.sees(r"url\.path +/missing")
        t.keys("Escape")
        t.sees(r"  TIME")
        t.keys("q")
        t.sees(r"seen 28")


def test_the_first_frame_comes_at_once():
    took = []
    while min(took, default=1) >= 0.1 and len(took) < 20:  # others may need the processors
        pid, fd = pty.fork()
        start = time.monotonic()
        if not pid:
            os.environ["TERM"] = "xterm"
            os.execv(OBI, [str(OBI), "trace", "-a"])
        seen = b""
        while b"ATTACHING" not in seen and b"LIVE" not in seen and time.monotonic() < start + 10:
            if select.select([fd], [], [], 1)[0]:
                seen += os.read(fd, 65536)
        took.append(time.monotonic() - start)
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(OSError):
            while os.read(fd, 65536):
                pass
        os.waitpid(pid, 0)
        os.close(fd)
    assert min(took) < 0.1, took


MINUTES = ROOT / "tests/ui/shop.otlp.zst"


def test_an_alert_marks_rows_and_rings_once(folder):
    with Tmux(100, 30) as t:
        t("pipe-pane", f"cat >{folder}/bytes")
        t.keys(f"{OBI} top -r {MINUTES} --alert 'p95_ms > 100' -i 200ms; echo it is $((40 + 2))", "Enter")
        t.sees(r"alert: p95_ms > 100: 4 groups")
        t.sees(r"! shop\.py")
        t.keys("j")
        time.sleep(2)  # several refreshes
        t.keys("q")
        t.sees(r"it is 42")
        wait_for("what it wrote", lambda: b"it is 42" in (folder / "bytes").read_bytes())
    assert (folder / "bytes").read_bytes().count(b"\a") == 1


def test_a_statement_may_follow_its_key_at_once():
    with Tmux(80, 24) as t:
        t.keys(f"{OBI} trace -r {RECORDING}", "Enter")
        t.sees(r"GET /")
        t.keys(r"\;", "C-u", *"select", "Space", *"6*7", "Space", *"answer", "Enter")
        t.sees(r"^ *answer *\n> +42")


def test_the_mouse_selects_sorts_and_scrolls():
    with Tmux(100, 30) as t:
        t.keys(f"TERM=xterm {OBI} trace -r {MINUTES}", "Enter")
        lines = t.sees(r"^> ")

        def mouse(button, x, y):
            at = f"\x1b[<{button};{x + 1};{y + 1}"
            t.keys("-l", at + "M" + (at + "m" if button == 0 else ""))  # a wheel has no release

        mouse(0, 20, 9)
        t.sees(r"\A(.*\n){9}>")
        t.sees(r"^Filter: none +6/2,336")
        mouse(65, 20, 9)  # the wheel, down
        t.sees(r"^Filter: none +(?!6/)[\d,]+/2,336")
        mouse(0, lines[3].index("DUR") + 1, 3)
        t.sees(r"DUR ms [^ ]")  # the sign of the order
        t.keys("M")
        t.sees(r"mouse off")
        t.keys("q")


def test_a_row_is_copied_through_the_terminal():
    with Tmux(100, 30) as t:
        t("set", "-s", "set-clipboard", "on")
        t.keys(f"{OBI} trace -r {MINUTES}", "Enter")
        t.sees(r"/2,336")
        row = t.sees(r"\A(.*\n){4}> ")[4].split()[1]
        t.keys("y")
        t.sees(r"bytes to the clipboard")
        wait_for("the clipboard", lambda: row in t("show-buffer"))
        t.keys("Enter")
        t.sees(r"^- Time")
        t.keys("y")
        wait_for("the whole request", lambda: "network.transport" in t("show-buffer"))
        t.keys("q", "q")


def test_keys_that_are_offered_do_something():
    """In each view, each letter of the key line; in a live one, as some need that."""
    with Tmux(200, 50) as t:
        t.keys(f"cd /tmp && {OBI} trace -r {MINUTES}", "Enter")
        t.sees(r"^> ")
        for view in "trace", "top", "connections", "processes", "map":
            t.keys(f":view {view}", "Enter")
            t.sees(rf"^obi {view} ")
            line = t.sees(r"^F1Help F?[7E/].*F10Quit$")[-1]
            offered = re.findall(r"(?<= )([A-Za-z/:;])(?=[A-Z][a-z]+|SQL|Cmd)", line)
            assert len(offered) > 3, line
            for key in offered:
                t.keys(key)
                time.sleep(0.15)
                assert "not in this view" not in "\n".join(t.screen()[-2:]), (view, key)
                t.keys(*("p" if key == "p" else ""), "Escape", "Escape")
                time.sleep(0.1)
        t.keys("C-c")


def test_a_target_that_ends_and_comes_back(nginx, folder):
    (folder / "obi-e2e-target").symlink_to("/usr/bin/python3")
    (folder / "get.py").write_text(
        "import socket, sys\n"
        "sys.stdin.readline()\n"
        "for i in range(3):\n"
        "    with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as s:\n"
        "        s.sendall(b'GET /small HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\n"
        "        while s.recv(65536):\n"
        "            pass\n"
        "sys.stdin.read()\n")
    argv = [folder / "obi-e2e-target", folder / "get.py", str(nginx.port)]
    with Tmux(100, 30) as t:
        first = subprocess.Popen(argv, stdin=subprocess.PIPE)
        t.keys(f"{OBI} trace --comm 'obi-e2e-t*'", "Enter")
        t.sees(r"LIVE")
        first.stdin.write(b"\n")
        first.stdin.flush()
        t.sees(r"[123]/3 ")
        first.communicate()
        t.sees(r"TARGET GONE")
        t.sees(r"obi-e2e-target\[\d+\] has exited with status 0")
        again = subprocess.Popen(argv, stdin=subprocess.PIPE)
        t.sees(r"the target is back")
        t.sees(r"LIVE")
        again.stdin.write(b"\n")
        again.stdin.flush()
        t.sees(r"[456]/6 ")
        again.communicate()
        t.sees(r"TARGET GONE")
        t.keys("q")
