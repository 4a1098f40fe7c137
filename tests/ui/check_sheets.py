#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check_sheets.py - recomputes connections and processes on screens from the rows of the recording

usage: check_sheets.py DIR SCREENS     exit 1 where a figure is wrong

DIR holds spans.json, connections.json and processes.json: the rows as `obi sql -o json` prints
them. A row on a screen must be one of them, cell by cell, in the order of its columns.
"""
import json
import re
import sqlite3
import sys

folder, screens_file = sys.argv[1:]


def load(name):
    return [json.loads(line) for line in open(f"{folder}/{name}.json")]


spans, conns, procs = load("spans"), load("connections"), load("processes")
now = max(r["start_ns"] + (r["dur_ns"] or 0) for r in spans)
bad = []


def size(n):
    if n is None:
        return "-"
    if n < 10000:
        return str(n)
    for unit in "kMGT":
        n /= 1000
        if n < 9999.5:
            return f"{n:.1f}{unit}" if n < 100 else f"{n:.0f}{unit}"


def age(ns):
    """As short as it says it: three digits and a unit; from a minute on, two units."""
    if ns is None or ns < 0:
        return "-"
    for unit, one in (("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)):
        if unit == "s" and ns >= 60e9:
            break
        if ns < one * 1000 or unit == "s":
            v = ns / one
            return f"{v:.0f}{unit}" if v >= 100 or unit == "ns" else f"{v:.1f}{unit}" if v >= 10 \
                else f"{v:.2f}{unit}"
    return None  # not in these recordings


def text(v):
    return "-" if v is None else str(v)


def address(ip, port):
    if port is None:
        return text(ip)
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def conn_cells(c):
    process = f"{c['comm'] or '?'}[{text(c['pid']) if c['pid'] is not None else '?'}]"
    shown = {"client": process + " >", "server": "< " + process}.get(c["side"], process)
    account = {k.upper()[:-6] + " B": text(c[k]) for k in
               ("seen_bytes", "cut_bytes", "lost_bytes", "unseen_bytes")}
    return {
        "PROCESS": shown, "LOCAL": address(c["local_ip"], c["local_port"]),
        "PEER": address(c["peer_ip"], c["peer_port"]), "PROTO": text(c["proto"]),
        "STATE": text(c["state"]), "AGE": age((c["end_ns"] or now) - c["start_ns"]),
        "RX": size(c["rx_bytes"]), "TX": size(c["tx_bytes"]), "REQ": text(c["requests"]),
        "ERR": text(c["errors"]), "TCP": "-", "WHY UNKNOWN": text(c["why"]),
        "UNPARSED": text(c["unparsed_bytes"]), "RTT ms": text(c["rtt_ms"]),
        "FLAGS": text(c["flags"]), **account,
    }


def proc_cells(p):
    mine = [s for s in spans if s["pid"] == p["pid"]]
    state = "runs" if p["end_ns"] is None else f"signal {p['exit_signal']}" \
        if p["exit_signal"] is not None else f"exit {p['exit_code']}"
    return {
        "PID": str(p["pid"]), "NAME": text(p["comm"]), "CONTAINER": text(p["container_id"]),
        "START": p["time"][11:23], "RUNTIME": "-",
        "CONNS": str(sum(1 for c in conns if c["pid"] == p["pid"])), "REQ": str(len(mine)),
        "ERR": str(sum(1 for s in mine if s["error"])), "CPU%": "-", "MEM": "-",
        "USER": text(p["user"]), "STATE": state, "PROGRAM": text(p["exe"]),
        "PPID": text(p["ppid"]), "COMMAND LINE": text(p["cmdline"]).replace("\n", "\\n"),
    }


def percentile(values, share):
    """Between the two nearest values."""
    if not values:
        return None
    values, at = sorted(values), share * (len(values) - 1)
    low = values[int(at)]
    return low + (values[min(int(at) + 1, len(values) - 1)] - low) * (at - int(at))


def calls():
    """The service map: a call by its caller where that was observed, else by who answered."""
    caller, server = ("client", "producer"), ("server", "consumer")
    at = lambda r, side: f"{r[side + '_ip']}:{text(r[side + '_port'])}"
    answers, callers, edges = {}, set(), {}
    for r in spans:
        if r["kind"] in server:
            answers[at(r, "local")] = max(answers.get(at(r, "local"), ""), r["service"])
        else:
            callers.add(at(r, "local"))
    for r in spans:
        if r["kind"] in caller:
            edge = r["service"], answers.get(at(r, "peer"), r["peer"]), r["proto"], "caller"
        elif at(r, "peer") not in callers:
            edge = r["peer"], r["service"], r["proto"], "server"
        else:
            continue
        edges.setdefault(edge, []).append(r)
    seconds = (max(r["start_ns"] for r in spans) - min(r["start_ns"] for r in spans)) / 1e9
    for (source, called, proto, by), rows in edges.items():
        ms = [r["dur_ms"] for r in rows if r["dur_ms"] is not None]
        figures = [round(percentile(ms, q), 3) for q in (.5, .95, .99)]
        bad_ones = sum(1 for r in rows if r["error"])
        size_of = sum((r["req_bytes"] or 0) + (r["resp_bytes"] or 0) for r in rows)
        yield {"CALL": f"{source} > {called}", "PROTO": proto,
               "REQ/S": str(round(len(rows) / seconds, 3)), "COUNT": str(len(rows)),
               "ERR%": str(round(100 * bad_ones / len(rows), 2)), "P50 ms": str(figures[0]),
               "P95 ms": str(figures[1]), "P99 ms": str(figures[2]), "BYTES": size(size_of),
               "TOLD BY": by}


views = {"map": list(calls()), "connections": [conn_cells(c) for c in conns],
         "processes": [proc_cells(p) for p in procs]}
titles = {t for cells in views.values() for row in cells for t in row}


def tables():
    """The same rows as ordinary tables of another SQLite."""
    db = sqlite3.connect(":memory:")
    for name, rows in (("spans", spans), ("connections", conns), ("processes", procs)):
        columns = list(rows[0])
        db.execute(f"create table {name} ({', '.join(columns)})")
        marks = ", ".join("?" * len(columns))
        db.executemany(f"insert into {name} values ({marks})",
                       [[json.dumps(v) if isinstance(v, (dict, list)) else v for v in r.values()]
                        for r in rows])
    return db


db = tables()


def heads(line, titles):
    """Titles of the head line, left to right; the sign of the order is left aside."""
    line = re.sub(r" [\u25b2\u25bc^v](?= |$)", "  ", line)
    found, at = [], 0
    while line[at:].strip():
        at += len(line[at:]) - len(line[at:].lstrip())
        title = next((t for t in sorted(titles, key=len, reverse=True)
                      if line.startswith(t, at)), None)
        if not title:
            return None
        found.append(title)
        at += len(title)
    return found


def fits(line, cells, columns):
    rest = line[2:].strip()
    for title in columns:
        want = cells[title].strip()
        if rest.startswith(want) and rest[len(want):len(want) + 1] in ("", " "):
            rest = rest[len(want):].lstrip()
            continue
        if title == "START" and rest.startswith(want[:8] + " "):
            rest = rest[8:].lstrip()
            continue
        cut = re.match(r"(.*?)(\u2026|\.\.)( +|$)", rest)
        if not cut or not cells[title].lstrip().startswith(cut[1]):
            return False
        rest = rest[cut.end():].lstrip()
    return not rest


def check_sql(name, lines):
    """What the screen says is the statement is asked elsewhere; rows must be the same."""
    said = re.search(r"SQL: (.*?)(?:  filter: (.*?))?  +(\d+)/(\d+)", lines[2])
    if not said or "\u2026" in lines[2] or ".. " in lines[2] or not lines[3].startswith("  "):
        return
    sql = said[1] if not said[2] else f"select * from ({said[1]}) where {said[2]}"
    if "recursive" in sql:
        return
    got = db.execute(sql)
    titles = [c[0] for c in got.description]
    rows = [dict(zip(titles, map(text, r))) for r in got]
    if len(rows) != int(said[4]):
        bad.append(f"{name}: {said[4]} rows, SQL gives {len(rows)}: {sql}")
    columns = heads(lines[3][2:], titles)
    for line in lines[4:-1] if columns else []:
        if not line.strip():
            break
        if not any(fits(line, cells, columns) for cells in rows):
            bad.append(f"{name}: SQL gives no such row: {line}")


def check(name, lines):
    view = re.match(r"obi (\w+) ", lines[0])
    if view and view[1] == "sql" and len(lines) > 6:
        check_sql(name, lines)
    if not view or view[1] not in views or len(lines) < 6:
        return
    columns = heads(lines[3][2:], titles)
    if not columns:
        return  # a detail, a menu
    for line in lines[4:-1]:
        if re.search(r"^[\u2500-]{20}|^    no \w+", line) or not line.strip():
            break
        if len(line) > 160 and line[100:101] in ("|", "\u2502"):
            line = line[:100]
        if not any(fits(line, cells, columns) for cells in views[view[1]]):
            bad.append(f"{name}: no such row in the recording: {line}")
    shown = re.search(r"\s(\d+)/(\d+)", lines[2])
    if "Filter: none" in lines[2] and shown and int(shown[2]) != len(views[view[1]]):
        bad.append(f"{name}: {shown[2]} {view[1]}, the recording has {len(views[view[1]])}")


name, lines = None, []
for line in list(open(screens_file)) + ["== \n"]:
    line = line.rstrip("\n")
    if line.startswith("== "):
        if name and lines:
            check(name, lines)
        name, lines = line[3:], []
    else:
        lines.append(line)
for b in bad:
    print(b)
sys.exit(bool(bad))
