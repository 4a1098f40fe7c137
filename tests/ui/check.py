#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check.py - recomputes the figures on screens from the JSON lines of the recording

usage: check.py SIZE utf8|ascii ROWS.json SCREENS     exit 1 where a figure is wrong
"""
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

import over_time  # noqa: E402

# The histogram of durations is exact to this share of a value.
STATED = 0.011

size, charset, rows_file, screens_file = sys.argv[1:]
ascii_only = charset == "ascii"
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


def quantile(durations, share):
    values = sorted(durations)
    return values[max(0, -(-int(share * 100) * len(values) // 100) - 1)] if values else None


def shown_rate(v):
    return f"{v:,.0f}" if v >= 10 else f"{v:.1f}" if v >= 1 else f"{v:.2f}"


def fits(text, true):
    """A percentile on the screen: the stated error, and half of the last digit."""
    if true is None or text == "-":
        return (true is None) == (text == "-")
    digits = len(text.split(".")[1]) if "." in text else 0
    return abs(float(text.replace(",", "")) - true) <= STATED * true + 0.5001 * 10 ** -digits


def sql(where):
    """The rows that fit, by SQLite itself."""
    import sqlite3
    db = sqlite3.connect(":memory:")
    names = [k for k, v in rows[0].items() if not isinstance(v, (dict, list))]
    db.execute(f"create table spans (i, {','.join(names)})")
    for i, r in enumerate(rows):
        db.execute(f"insert into spans values (?{',?' * len(names)})", [i, *(r[k] for k in names)])
    return [rows[i] for i, in db.execute(f"select i from spans where {where}")]


def cell_ends(head):
    return [(m[1], m.start(), m.end()) for m in re.finditer(r"(\S+)(?: [\u25bc\u25b2v^])?(?= |$)", head)]


def right(line, end):
    return line[:end].split()[-1]


baselines = {}  # by the name of a screen: window, groups


def against(name):
    """The baseline of screen 07-changed-since-05: what screen 05 was of; None: none."""
    since = re.search(r"-since-(\d+)$", name)
    return since and next(b for n, b in baselines.items() if n.startswith(since[1]))


def figures(window, g):
    durations = [r["dur_ms"] for r in g if r["dur_ms"] is not None]
    errors = sum(1 for r in g if r["error"])
    return {"RATE+%": len(g) / window.seconds, "ERR+": 100 * errors / len(g),
            "P50+%": quantile(durations, .5), "P95+%": quantile(durations, .95)}


def check_changes(name, line, heads, window, key, g):
    old_window, old_groups = against(name)
    now, then = figures(window, g), figures(old_window, old_groups[key]) if key in old_groups else {}
    for title, _, end in heads:
        if title in now and not over_time.change_fits(right(line, end), title, now[title], then.get(title),
                                                      STATED):
            bad.append(f"{name}: {title}, was {then.get(title)}, is {now[title]}: {line}")


def check_group(name, line, by, heads, groups, total, window):
    first = next(h for h in heads if h[0] not in by)
    number = right(line, first[2])
    edges = [h[1] for h in heads if h[0] in by] + [first[2] - len(number)]
    key = tuple(line[a:b].strip() for a, b in zip(edges, edges[1:]))
    found = [g for g in groups if all(
        k == v or (k[-1:] == "\u2026" and v.startswith(k[:-1])) or (k[-2:] == ".." and v.startswith(k[:-2]))
        for k, v in zip((k.removeprefix("! ") for k in key), g))]
    if len(found) != 1:
        if not found:
            bad.append(f"{name}: no such group in the recording: {line}")
        return None
    g = groups[found[0]]
    durations = [r["dur_ms"] for r in g if r["dur_ms"] is not None]
    errors = sum(1 for r in g if r["error"])
    exact = {"COUNT": f"{len(g):,}", "ERRORS": f"{errors:,}", "ERR%": f"{100 * errors / len(g):.1f}",
             "RATE/s": shown_rate(len(g) / window.seconds), "MAX": ms(max(durations, default=None)),
             "TOTAL%": f"{100 * sum(durations) / total:.1f}"}
    if against(name):
        check_changes(name, line, heads, window, found[0], g)
    for title, start, end in heads:
        shares = {"P50": .5, "P95": .95, "P99": .99}
        if title == "WINDOW":
            want, wide = over_time.spark(window, g, ascii_only), min(12, window.end - window.first)
            if line[start:start + wide] != want:
                bad.append(f"{name}: the sparkline is {want!r}: {line}")
        if title in exact and right(line, end) != exact[title]:
            bad.append(f"{name}: {title} is {exact[title]}: {line}")
        if title in shares and not fits(right(line, end), quantile(durations, shares[title])):
            bad.append(f"{name}: {title} is {quantile(durations, shares[title])}: {line}")
    return g


def who(r):
    here = r["kind"] not in ("server", "consumer")
    return (r["process"] if here else r["peer_process"] or r["peer"]) or "unknown"


def check_lower(name, lines, window, g):
    """The selected group: bars, callers and calls, as far as there is room."""
    durations = sorted((r["dur_ms"] for r in g if r["dur_ms"] is not None), reverse=True)
    if any("latency over time" in line for line in lines):
        bad.extend(f"{name}: {why}" for why in over_time.check_heat(lines, window, g, ascii_only))
        return
    bad.extend(f"{name}: {why}" for why in over_time.check_bars(lines, g))
    calls = [m[1] for line in lines if (m := re.search(r"([\d.]+)  \d\d:\d\d:\d\d\.\d{3}  ", line))]
    if calls != [ms(d) for d in durations[:len(calls)]]:
        bad.append(f"{name}: slowest {calls}, are {[ms(d) for d in durations[:len(calls)]]}")
    callers = {}
    for r in g:
        callers[who(r)] = callers.get(who(r), 0) + 1
    for line in lines:
        for m in re.finditer(r"(\S+) +([\d.]+)%", line):
            n = [c for w, c in callers.items() if w == m[1] or w.startswith(m[1].rstrip("\u2026."))]
            if not any(f"{100 * c / len(g):.1f}" == m[2] for c in n):
                bad.append(f"{name}: caller {m[0]}, are {callers}")


def check_top(name, lines):
    status = lines[2]
    where = re.search(r"Filter: (.*?) +\d+ groups", status)
    if "Group: " not in status or "\u2026" in status or ".." in status:
        return  # a filter that is cut is checked on wider screens
    by = re.search(r"Group: (.*?)(?:  |$)", status)[1].split(" > ")[-1].split(",")
    window = over_time.Window(status, rows)
    seen_rows = window.rows(sql(where[1]) if where else rows)
    groups = {}
    for r in seen_rows:
        groups.setdefault(tuple(r[b] if r[b] is not None else "-" for b in by), []).append(r)
    n = int(re.search(r"(\d+) groups", status)[1])
    if n != len(groups):
        bad.append(f"{name}: {n} groups, the recording has {len(groups)}")
    if not groups:
        return
    baselines[name] = window, groups
    total = sum(r["dur_ms"] or 0 for r in seen_rows)
    heads = cell_ends(lines[3])
    titles = {"CONTAINER": "container_id", "ERROR": "error_type", "COMMAND": "comm"}
    heads = [(titles.get(t, t.lower()) if titles.get(t, t.lower()) in by else t, a, b) for t, a, b in heads]
    selected = None
    for i, line in enumerate(lines[4:]):
        if not line.startswith(("  ", "> ")) or not line.strip():
            break
        if line.startswith("  (other:"):
            continue
        g = check_group(name, line, by, heads, groups, total, window)
        selected = g if line[0] == ">" else selected
    if selected:
        check_lower(name, lines[4 + i:], window, selected)


def check_file(name, lines):
    """What :write made of the groups."""
    import csv
    wrote = csv.DictReader(lines) if name.endswith(".csv") else map(json.loads, lines)
    for group in wrote:
        g = [r for r in rows if (r["service"], r["name"]) == (group["service"], group["name"])]
        durations = [r["dur_ms"] for r in g]
        exact = {"count": len(g), "errors": sum(1 for r in g if r["error"]), "max_ms": max(durations),
                 "rate": len(g) / over_time.Window("all", rows).seconds}
        for column, true in exact.items():
            if abs(float(group[column]) - true) > 1e-6 * true:
                bad.append(f"{name}: {column} is {true}: {group}")
        if abs(float(group["p95_ms"]) - quantile(durations, .95)) > STATED * quantile(durations, .95):
            bad.append(f"{name}: p95_ms is {quantile(durations, .95)}: {group}")


def check(name, lines):
    if name.endswith((".csv", ".json")):
        check_file(name, lines)
        return
    if len(lines) != height:
        bad.append(f"{name}: {len(lines)} lines, not {height}")
    for line in lines:
        if columns(line) > width:
            bad.append(f"{name}: wider than {width}: {line}")
    if len(lines) > 3:
        check_header(name, lines[1])
        if lines[0].startswith("obi top"):
            check_top(name, lines)
        else:
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
