#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check.py - recomputes the figures on screens from the JSON lines of the recording

usage: check.py SIZE ROWS.json SCREENS     exit 1 where a figure is wrong
"""
import json
import re
import sys

# The histogram of durations is exact to this share of a value.
STATED = 0.011

size, rows_file, screens_file = sys.argv[1:]
width, height = map(int, size.split("x"))
rows = [json.loads(line) for line in open(rows_file)]
seen = next(r["summary"]["seen"] for r in rows if "summary" in r)
rows = [r for r in rows if "summary" not in r]
bad = []


def columns(text):
    """Cells of a line: wide characters take two."""
    import unicodedata
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def ms(value):
    if value is None:
        return "-"
    digits = 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f}"


def rank(share):
    values = sorted(r["dur_ms"] for r in rows if r["dur_ms"] is not None)
    return values[max(0, -(-int(share * 1000) * len(values) // 1000) - 1)]


def near(shown, true):
    # three digits are shown
    return abs(shown - true) <= STATED * true + 0.006 * true


def check_header(name, line):
    totals = re.search(r"seen ([\d,]+) shown ([\d,]+) lost ([\d,]+)", line)
    if not totals:
        bad.append(f"{name}: no totals: {line}")
        return
    if [int(t.replace(",", "")) for t in totals.groups()] != [seen, len(rows), 0]:
        bad.append(f"{name}: {totals[0]}, the recording has {seen} and {len(rows)}")
    err = re.search(r"err ([\d.]+)%", line)
    if err:
        true = 100 * sum(1 for r in rows if r["error"]) / len(rows)
        if abs(float(err[1]) - true) > 0.051:
            bad.append(f"{name}: err {err[1]}%, is {true:.2f}%")
    for label, share in (("p50", .5), ("p95", .95), ("p99", .99)):
        shown = re.search(label + r" ([\d.]+)(?= |$)", line)
        if shown and "\u2026" not in line and ".." not in line and not near(float(shown[1]), rank(share)):
            bad.append(f"{name}: {label} {shown[1]}, is {rank(share)}")


def row_key(r):
    return r["time"][11:23], ms(r["dur_ms"])


def check_rows(name, lines):
    """Each row of a list is a row of the recording, by its start and duration."""
    true = {}
    for r in rows:
        true.setdefault(row_key(r), []).append(r)
    for line in lines:
        if width >= 160 and line[width // 2:width // 2 + 1] in ("|", "\u2502"):
            line = line[:width // 2]  # a detail at the right
        row = re.match(r"^[> ][* ](\d\d:\d\d:\d\d\.\d{3})\d* (.*)$", line)
        if not row:
            continue
        text = row[2].rstrip()
        dur = text.split()[-1]
        found = true.get((row[1], dur))
        if not found:
            bad.append(f"{name}: no such request in the recording: {line}")
        elif not any((r["status"] or ("!" if r["error"] else "-")) in text.split() for r in found):
            bad.append(f"{name}: another status in the recording: {line}")


def check(name, lines):
    if len(lines) != height:
        bad.append(f"{name}: {len(lines)} lines, not {height}")
    for line in lines:
        if columns(line) > width:
            bad.append(f"{name}: wider than {width}: {line}")
    if len(lines) > 3:
        check_header(name, lines[1])
        check_rows(name, lines[3:])


name, lines = None, []
for line in open(screens_file):
    line = line.rstrip("\n")
    if line.startswith("== "):
        if name:
            check(name, lines)
        name, lines = line[3:], []
    else:
        lines.append(line)
if name:
    check(name, lines)
else:
    bad.append("no screens")
for b in bad:
    print(b)
sys.exit(bool(bad))
