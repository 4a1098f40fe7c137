# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic that no parser reads: -v says of each connection how much it moved, why it was not decoded, how it began."""
import re
import subprocess
import sys

import pytest

from rig.obi import Obi
from rig.proc import end, free_port, listens, wait_for

SERVE = """
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    while c.recv(16, socket.MSG_WAITALL):
        c.sendall(b"\\x05answer!" * 3)
    c.close()
"""
ASK = """
import socket, sys
sys.stdin.readline()
for i in range(5):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as c:
        for k in range(i + 1):
            c.sendall(b"\\x07frob\\x00nicate..." + bytes([i]))
            c.recv(24, socket.MSG_WAITALL)
"""


@pytest.fixture(scope="module", params=[(), ("-v",)], ids=["plain", "verbose"])
def said(request, tmp_path_factory):
    port, out = free_port(), tmp_path_factory.mktemp("unknown") / "out"
    server = subprocess.Popen([sys.executable, "-c", SERVE, str(port)])
    client = subprocess.Popen([sys.executable, "-c", ASK, str(port)], stdin=subprocess.PIPE, text=True)
    try:
        wait_for("the server to listen", lambda: listens(port))
        with open(out, "w") as f, Obi(*request.param, output="text", stdout=f, pids=[server.pid, client.pid]) as obi:
            client.communicate("\n", timeout=240)
            obi.settle()
            assert obi.stop() == 0, obi.stderr
    finally:
        end(client)
        end(server)
    return request.param, port, out.read_text().splitlines()


def test_each_end_of_each_connection_is_a_line_with_its_reason(said):
    flags, port, lines = said
    assert lines[0].startswith("TIME ") and len(lines) == (11 if flags else 1), lines
    for side in ("client", "server") if flags else ():
        mine = [line for line in lines if f" {side} " in line]
        assert len(mine) == 5
        asked, answered = [], []
        for line in mine:
            cells = re.search(r'not decoded: too few bytes to tell; begins with "(.*)" +- +(\d+) +(\d+) ', line)
            assert cells, line
            assert cells[1].startswith("\\x07frob\\x00nicate..."), line
            asked.append(int(cells[2]))
            answered.append(int(cells[3]))
        assert sorted(asked) == [16 * n for n in range(1, 6)]
        assert sorted(answered) == [24 * n for n in range(1, 6)]
        assert side == "server" or all(f" 127.0.0.1:{port} " in line for line in mine)
