# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends N mails and more to an SMTP server, by smtplib and by hand.

usage: smtp_load.py PORT N PAUSE     PAUSE 1: prints "ready" once connected and waits for a line

Prints what it did and got, as JSON: {"did": {"RCPT 550": 10, ...}, "sizes": [1000, ...]};
sizes are those of the messages as they went over the wire."""
import json
import smtplib
import socket
import sys
from collections import Counter

SIZES = [1, 300, 5000, 40000, 300000]
FROM, TO, NOBODY, LATER = "ann@example.org", "bob@example.org", "nobody@example.org", "later@example.org"


class Client(smtplib.SMTP):
    """Counts each command with the last code of its answer."""

    op, did, sizes = None, Counter(), []

    def putcmd(self, cmd, args=""):
        self.op = cmd.split()[0].upper()
        super().putcmd(cmd, args)

    def getreply(self):
        code, text = super().getreply()
        if self.op and code not in (334, 354):
            self.did[f"{self.op} {code}"] += 1
        return code, text

    def message(self, size):
        """Lines, some of which begin with a dot."""
        lines = [b"Subject: a mail", b"", b".", b"..", b"DATA", b"QUIT"]
        return b"\r\n".join([*lines, *([b".x" + b"y" * 70] * (size // 73)), b"z" * (size % 73)]) + b"\r\n"

    def transaction(self, size):
        assert self.mail(FROM)[0] == 250 and self.rcpt(TO)[0] == 250
        assert self.rcpt(NOBODY)[0] == 550
        assert self.rcpt(LATER)[0] == 450
        self.send_message_of(size)

    def send_message_of(self, size):
        message = self.message(size)
        assert self.data(message)[0] == 250
        self.sizes.append(len(message) + sum(x.startswith(b".") for x in message.split(b"\r\n")))


class Raw:
    """What the library does not offer: pipelining, BDAT."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.file = self.sock.makefile("rb")
        self.reply()

    def reply(self):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                return int(line[:3])

    def all(self, *commands):
        """Sends the commands at once; each one's answer counts."""
        self.sock.sendall("".join(c + "\r\n" for c in commands).encode())
        for c in commands:
            code = self.reply()
            if code != 354:
                Client.did[f"{c.split()[0]} {code}"] += 1

    def data(self, text, *more):
        """The message, with the next commands right behind it."""
        self.sock.sendall(text + b".\r\n" + "".join(c + "\r\n" for c in more).encode())
        Client.sizes.append(len(text))
        for c in ("DATA", *more):
            code = self.reply()
            if code != 354:
                Client.did[f"{c.split()[0]} {code}"] += 1

    def chunk(self, text, last=""):
        self.sock.sendall(f"BDAT {len(text)}{last}\r\n".encode() + text)
        Client.did[f"BDAT {self.reply()}"] += 1


def by_hand(port, n):
    raw = Raw(port)
    raw.all("EHLO client.example.org")
    mail = f"MAIL FROM:<{FROM}>", f"RCPT TO:<{TO}>"
    for i in range(n):
        raw.all(*mail, f"RCPT TO:<{NOBODY}>", "DATA")
        raw.data(b"Subject: x\r\n\r\n" + b"line\r\n" * i, *mail, "DATA")
        raw.data(b"", "RSET", *mail)
        raw.chunk(b"MAIL FROM:<a@b>\r\n" * 100)
        raw.chunk(b"z" * (i * 1000) + b"\r\n", " LAST")
    raw.all("DATA", "FOO bar", "QUIT")


def main():
    port, n, pause = map(int, sys.argv[1:])
    first = Client("127.0.0.1", port, local_hostname="client.example.org")
    if pause:
        first.ehlo()
        first.mail(FROM)
        first.rcpt(TO)
        Client.did.clear()
        print("ready", flush=True)
        sys.stdin.readline()
        first.send_message_of(1)
    for i in range(n):
        c = first if i < n // 2 else Client("127.0.0.1", port)
        if i == 0 or c is not first:
            c.ehlo()
        c.transaction(SIZES[i % len(SIZES)])
        c.docmd("VRFY", TO)
        c.rset()
        c.noop()
        if c is not first:
            c.docmd("QUIT")
            c.close()
    first.docmd("QUIT")
    first.close()
    by_hand(port, n // 4)
    print(json.dumps({"did": Client.did, "sizes": Client.sizes}))


if __name__ == "__main__":
    main()
