# SPDX-License-Identifier: GPL-3.0-or-later
"""A program on a terminal of its own: type keys, wait for what appears."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

CONTROL = re.compile(r"\x1b\[[0-9;?]*[@A-Za-z]|\x1b[=>]|\x1b\([A-Z0-9]|\x07|\r(?=\n)")
PART = re.compile(r"(\x1b[^@A-Za-z=>]*|\r)\Z")  # goes on in the next read
C_C, C_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


class Term:
    """`with Term(argv) as t`: t.text is all that appeared, control sequences left out."""

    def __init__(self, argv, rows=30, columns=100, env=None, cwd=None):
        self.text, self.part, self.mark, self.status = "", "", 0, None
        self.pid, self.fd = pty.fork()
        if not self.pid:
            # here, not by the parent: the program must not see another size first
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(cwd or ".")
            os.execvpe(argv[0], [str(a) for a in argv],
                       {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", **(env or {})})

    def read(self, seconds):
        """Takes what is there within this time; False at the end."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                part = os.read(self.fd, 65536)
            except OSError:
                part = b""
            fresh = self.part + part.decode(errors="replace")
            self.part = (PART.search(fresh) or [""])[0] if part else ""
            self.text += CONTROL.sub("", fresh.removesuffix(self.part) if self.part else fresh)
            return bool(part)
        return True

    def until(self, pattern, seconds=120):
        """Waits for the pattern behind what was found before; the text up to its end."""
        end = time.monotonic() + seconds
        while True:
            fresh = self.text[self.mark:]
            found = re.search(pattern, fresh)
            if found:
                self.mark += found.end()
                return fresh[:found.end()]
            if time.monotonic() > end or not self.read(0.1):
                raise AssertionError(f"no {pattern!r} in {fresh!r}")

    def reads_keys(self):
        """Whether the program takes key by key, as at a prompt, and not the terminal line by line."""
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def until_reads_keys(self, yes=True, seconds=120):
        """
        Waits until the program takes keys itself (or does not any more). What is typed before means
        something else: to the terminal Ctrl-D is an end, Ctrl-C a signal, and a tab a tab.
        """
        end = time.monotonic() + seconds
        while self.reads_keys() != yes:
            assert time.monotonic() < end and self.read(0.02), self.text[-500:]

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def enter(self, line):
        self.type(line + "\r")

    def ends(self, seconds):
        """Whether it ends within this time."""
        end = time.monotonic() + seconds
        while self.status is None and time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, seconds=120):
        """The exit status; -N on a signal. What it said to the end is taken."""
        assert self.ends(seconds), f"it does not end: {self.text[-500:]!r}"
        while self.read(0) and select.select([self.fd], [], [], 0)[0]:
            pass
        return self.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
