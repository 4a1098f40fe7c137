# SPDX-License-Identifier: GPL-3.0-or-later
"""terminal - obi on a terminal that is only remembered: what a frame says and when it was there."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

ROWS, COLUMNS = 30, 100
TOKEN = re.compile(r"\x1b\[([0-9;?]*)([@-~])|\x1b[=>]|\x1b\([A-Z0-9]|([\r\n\b\a])|([^\x1b\r\n\b\a]+)")
PART = re.compile(r"(\x1b\[?[0-9;?]*)?\Z")  # of a sequence that goes on in the next read


class Screen:
    """The terminal is the one that obi assumes without a description: few sequences to know."""

    def __init__(self, *argv):
        self.lines, self.x, self.y, self.rest = [[" "] * COLUMNS for _ in range(ROWS)], 0, 0, ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.began = time.monotonic()
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.sched_setaffinity(0, range(os.cpu_count()))
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execve(argv[0], [str(a) for a in argv],
                      {"TERM": "no-such", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": "/nonexistent"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def csi(self, args, final):
        if final == "H":
            at = [int(a or 1) for a in (args or "1").split(";")] + [1]
            self.y, self.x = at[0] - 1, at[1] - 1
        elif final == "C":
            self.x += int(args or 1)
        elif final in "KJ":
            self.lines[self.y][self.x:] = " " * (COLUMNS - self.x)
            for y in range(self.y + 1, ROWS if final == "J" else 0):
                self.lines[y] = [" "] * COLUMNS

    def put(self, text):
        for c in text:
            if self.x == COLUMNS:
                self.x, self.y = 0, min(self.y + 1, ROWS - 1)
            self.lines[self.y][self.x] = c
            self.x += 1

    def read(self, seconds):
        """Takes what is there within this time; False: nothing."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        text = self.rest + self.decoder.decode(os.read(self.fd, 1 << 20))
        whole = PART.search(text).start()
        self.rest = text[whole:]
        for m in TOKEN.finditer(text[:whole]):
            if m[2]:
                self.csi(m[1], m[2])
            elif m[3]:
                self.x = 0 if m[3] == "\r" else max(0, self.x - (m[3] == "\b"))
                self.y = min(self.y + (m[3] == "\n"), ROWS - 1)
            elif m[4]:
                self.put(m[4])
        return True

    def shows(self, pattern):
        return re.search(pattern, "\n".join("".join(line) for line in self.lines), re.M)

    def until(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while not self.shows(pattern):
            if time.monotonic() > end:
                raise TimeoutError(f"no {pattern} on the screen: " + "\n".join(map("".join, self.lines)))
            self.read(0.05)
        return time.monotonic()

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def ms(self, keys, pattern):
        """From the keys to the first page that fits, and to the page that is not partial any more."""
        while self.read(0.02):
            pass
        begin = time.monotonic()
        self.type(keys)
        first = self.until(pattern)
        while self.shows(r"partial|asking|running"):
            self.read(0.05)
        return 1e3 * (first - begin), 1e3 * (time.monotonic() - begin)
