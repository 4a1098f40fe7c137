# SPDX-License-Identifier: GPL-3.0-or-later
"""over_time - what check.py recomputes of screens that show a part of the time: windows,
sparklines, histograms, heat maps, changes against a baseline"""
import math
import re

SECOND = 10**9
BUCKETS_OF_TWO = 32
EDGES = [0] + [62_500 << i for i in range(23)]
SPARK, HEAT = 12, 60


def answered(r):
    """When a request counts: at its end, or at its start where it has none, ns."""
    return r["start_ns"] + round((r["dur_ms"] or 0) * 1e6)


def length(text):
    """A duration as the screen shows it, ns; None: everything."""
    if text == "all":
        return None
    minutes, seconds, fraction = re.fullmatch(r"(?:(\d+)m)?(?:([\d.]+)s)?(?:([\d.]+)ms)?", text).groups()
    return round((60 * int(minutes or 0) + float(seconds or 0)) * SECOND + float(fraction or 0) * 1e6)


class Window:
    """From the end of the status line: "all", "last 10.0s", "10.0s up to 20.0s ago"."""

    def __init__(self, status, rows):
        now = max(map(answered, rows))
        said = re.search(r"(?:(all)|last (\S+)|(\S+) up to (\S+) ago)$", status.rstrip())
        ago = length(said[4]) if said[4] else 0
        long = None if said[1] else length(said[2] or said[3])
        first = min(r["start_ns"] for r in rows)
        begin = first if long is None else now - ago - long
        # whole seconds: the recording is too short for coarser ones
        self.first = begin // SECOND
        self.end = (now - ago - 1) // SECOND + 1 if ago else now // SECOND + 1
        self.seconds = (min(now, self.end * SECOND) - max(first, self.first * SECOND)) / SECOND

    def rows(self, rows):
        return [r for r in rows if self.first <= answered(r) // SECOND < self.end]

    def points(self, at_most):
        return min(self.end - self.first, at_most)

    def point(self, r, at_most):
        at = answered(r) // SECOND
        return (at - self.first) * self.points(at_most) // (self.end - self.first)


def spark(window, rows, ascii_only):
    counts = [0] * window.points(SPARK)
    for r in rows:
        counts[window.point(r, SPARK)] += 1
    top, text = max(counts), ""
    for n in counts:
        level = n * 7 // top if top else 0
        text += " " if not n else " .:-=+*#"[max(level, 1)] if ascii_only else chr(0x2581 + level)
    return text


def bin_of(r):
    """Of the histogram: by the middle of the fine bucket that counted it."""
    ns = round(r["dur_ms"] * 1e6)
    fine = int(math.log2(ns) * BUCKETS_OF_TWO) if ns > 1 else 0
    middle = int(2 ** ((fine + 0.5) / BUCKETS_OF_TWO))
    return max(i for i, edge in enumerate(EDGES) if middle >= edge)


def bins_from(label):
    """The bin that begins at this many ms, as three digits show it."""
    return next(i for i, edge in enumerate(EDGES) if f"{edge / 1e6:.3g}" == label)


def bins(rows):
    counts = [0] * len(EDGES)
    for r in rows:
        if r["dur_ms"] is not None:
            counts[bin_of(r)] += 1
    return counts


def check_bars(lines, rows):
    """Each line of the histogram has the requests from its edge to that of the next line."""
    shown = [(bins_from(m[1]), int(m[2].replace(",", ""))) for line in lines
             if (m := re.match(r"^ +([\d.]+) [|\u2502][#\u2588]* +([\d,]+)(?: |$)", line))]
    counts = bins(rows)
    for (at, n), (end, _) in zip(shown, shown[1:] + [(len(EDGES), 0)]):
        if sum(counts[at:end]) != n:
            yield f"{n} requests from {EDGES[at] / 1e6} ms, are {sum(counts[at:end])}"


def check_heat(lines, window, rows, ascii_only):
    """A heat map: shade by shade."""
    shown = [(bins_from(m[1]), m[2]) for line in lines
             if (m := re.match(r"^ +([\d.]+) [|\u2502](.*)$", line))]
    shades = " .:+#" if ascii_only else " \u2591\u2592\u2593\u2588"
    points = window.points(HEAT)
    ends = [len(EDGES)] + [at for at, _ in shown]
    cells = [[0] * points for _ in shown]
    for r in rows:
        if r["dur_ms"] is not None:
            for line, ((at, _), end) in enumerate(zip(shown, ends)):
                if at <= bin_of(r) < end:
                    cells[line][window.point(r, HEAT)] += 1
    most = max((n for line in cells for n in line), default=1) or 1
    for (at, text), line in zip(shown, cells):
        wide = min(6, max(1, (len(max((t for _, t in shown), key=len)) + points - 1) // points))
        want = "".join(shades[1 + n * 3 // most if n else 0] * wide for n in line)
        if text.rstrip() != want.rstrip():
            yield f"heat from {EDGES[at] / 1e6} ms is\n  {text.rstrip()!r}, not\n  {want.rstrip()!r}"


def change_fits(text, title, now, then, stated):
    """+12 is the change of a share that may be off by the stated error at both ends."""
    if text in ("new", "-"):
        return (then is None) == (text == "new") or now is None
    if then is None or now is None:
        return False
    shown = float(text.replace(",", ""))
    if title == "ERR+":
        return abs(shown - (now - then)) <= 0.0501
    exact = 100 * (now - then) / then
    slack = 0.501 if title == "RATE+%" else 0.501 + 100 * (now / then) * (2.1 * stated)
    return abs(shown - exact) <= slack
