# SPDX-License-Identifier: GPL-3.0-or-later
"""system - starts the shop of the demo and its servers, runs obi on it, stops everything."""
import contextlib
import pathlib
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from rig.proc import ROOT, end, free_port, listens, wait_for  # noqa: E402
from rig.servers import MariaDB, Postgres, Redis, die_with_parent  # noqa: E402


@contextlib.contextmanager
def program(*args, port=None):
    p = subprocess.Popen(["/usr/bin/python3", "-B", HERE / "shop.py", *map(str, args)],
                         stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                         preexec_fn=die_with_parent)
    try:
        if port:
            wait_for(f"port {port}", lambda: listens(port))
        yield p
    finally:
        end(p)


def fill(pg, my):
    pg.sql("CREATE TABLE carts (customer int, product int, amount int)")
    pg.sql("INSERT INTO carts SELECT g % 20 + 1, g % 7 + 1, g % 3 + 1 FROM generate_series(1, 60) g")
    my.sql("CREATE DATABASE shop")
    my.sql("USE shop; CREATE TABLE shop.products (id INT PRIMARY KEY, name VARCHAR(40), price INT);"
           "INSERT INTO shop.products SELECT seq, CONCAT('product ', seq), seq * 10 FROM seq_1_to_20;"
           "CREATE TABLE shop.orders (id INT PRIMARY KEY, customer INT); INSERT INTO shop.orders VALUES (1, 1)")


def observe(pid):
    """obi in the foreground: on a terminal the interface, else lines of text; Ctrl-C is for it alone."""
    argv = [str(ROOT / "obi"), "top", "-p", str(pid)]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        argv = [str(ROOT / "obi"), "trace", "-o", "text", "-p", str(pid), "-d", "10s"]
    print("running:", " ".join(["./obi", *argv[1:]]), flush=True)
    obi = subprocess.Popen(argv)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return obi.wait()
    finally:
        end(obi)


SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def leave(number, _):
    """The way out: all that was started is stopped; impatience does not cut that short."""
    for s in SIGNALS:
        signal.signal(s, signal.SIG_IGN)
    sys.exit(128 + number)


def main():
    for s in SIGNALS:
        signal.signal(s, leave)
    port, shipping = free_port(), free_port()
    with Postgres() as pg, MariaDB() as my, Redis() as redis, program("shipping", shipping, port=shipping), \
         program(port, pg.port, my.port, redis.port, shipping, port=port) as shop:
        fill(pg, my)
        with program("traffic", port):
            return observe(shop.pid)


if __name__ == "__main__":
    sys.exit(main())
