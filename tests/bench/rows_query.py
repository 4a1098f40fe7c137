# SPDX-License-Identifier: GPL-3.0-or-later
"""rows_query - what a screen waits for."""
import re

from measure import BUILT, output


def row_18():
    """first page of 1,000,000 spans: list, filter; the table of routes"""
    text = output(BUILT / "query_bench")
    first = {m[1].strip(): float(m[2]) for m in re.finditer(r"(?m)^list (.{21}) first +([\d.]+) ms", text)}
    table = float(re.search(r"(?m)^red by route +first +[\d.]+ ms  whole +([\d.]+) ms", text)[1])
    newest, filtered = first["newest"], first["filter"]
    return f"list {newest:.0f} ms, filter {filtered:.0f} ms, routes {table:.0f} ms", "<= 50, 50, 100 ms", \
        newest <= 50 and filtered <= 50 and table <= 100
