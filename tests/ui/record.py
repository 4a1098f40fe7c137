#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""record.py - makes tests/ui/shop.otlp.zst: minutes of the shop of the demo, for screens over time

usage: record.py FILE [SECONDS]      as root; after it tests/ui/run.sh --update

A quarter of the traces is kept. Two thirds into it the table of carts grows, so
that its queries get slower: what a baseline is for. Texts are the demo's own.
"""
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/demo"))

from system import MariaDB, Postgres, Redis, fill, free_port, program  # noqa: E402


def main(path, seconds):
    port, shipping = free_port(), free_port()
    with Postgres() as pg, MariaDB() as my, Redis() as redis, program("shipping", shipping, port=shipping), \
         program(port, pg.port, my.port, redis.port, shipping, port=port) as shop:
        fill(pg, my)
        with program("traffic", port):
            obi = subprocess.Popen([ROOT / "obi", "trace", "-q", "-o", "text", "-p", str(shop.pid), "-d", f"{seconds}s",
                                    "-F", "substr(trace_id, 1, 1) in ('0', '1', '2', '3')", "-w", path],
                                   stdout=subprocess.DEVNULL)
            time.sleep(seconds * 2 / 3)
            pg.sql("INSERT INTO carts SELECT 1000 + g, 1, 1 FROM generate_series(1, 150000) g")
            return obi.wait()


sys.exit(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200))
