# SPDX-License-Identifier: GPL-3.0-or-later
"""obi report: the page as a real browser sees it says what SQL says of the same recording."""
import html.parser
import json
import math
import struct
import subprocess

import pytest

from rig.obi import OBI
from rig.proc import ROOT

RECORDING = ROOT / "tests/golden/shop-text/in.obiraw"
EVIL = "</td><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def browser():
    found = subprocess.run([ROOT / "tests/setup/browser.sh"], capture_output=True, text=True)
    if found.returncode:
        pytest.skip(found.stderr.strip() or "no chromium")
    return found.stdout.strip()


def see(browser, path, *args):
    return subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={path.parent}/profile",
         "--virtual-time-budget=2000", *args, f"file://{path}"],
        capture_output=True, text=True, timeout=120, check=True).stdout


class Page(html.parser.HTMLParser):
    """Tables by id, texts of elements with an id, and every attribute of bars and cells."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.texts, self.shapes, self.tags = {}, {}, [], []
        self.table = self.cell = self.named = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "table":
            self.table = self.tables.setdefault(attrs.get("id"), [])
        elif tag == "tr" and self.table is not None:
            self.table.append([])
        elif tag in ("td", "th") and self.table is not None:
            self.table[-1].append("")
            self.cell = True
        elif tag == "rect" and "data-count" in attrs:
            self.shapes.append(attrs)
        elif "id" in attrs:
            self.named = attrs["id"]
            self.texts[self.named] = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.cell = None
        elif tag == "table":
            self.table = None
        self.named = None

    def handle_data(self, data):
        if self.cell and self.table is not None:
            self.table[-1][-1] += data
        elif self.named:
            self.texts[self.named] += data

    def rows(self, table):
        head, *rows = [r for r in self.tables[table] if r]
        return [dict(zip(head, r)) for r in rows]


def ask(recording, sql):
    out = subprocess.run([OBI, "sql", "-q", "-r", recording, "-o", "json", sql],
                         capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def same(shown, true):
    """A cell says the value: the text, or the number to three places."""
    if true is None:
        return shown == "-"
    if isinstance(true, (int, float)):
        return math.isclose(float(shown), true, abs_tol=0.0006)
    return shown == str(true)


def report(tmp_path, recording, *args):
    page = tmp_path / "report.html"
    subprocess.run([OBI, "report", "-q", "-r", recording, "-w", page, *args], check=True)
    return page


@pytest.fixture(scope="module")
def shop(tmp_path_factory, browser):
    path = report(tmp_path_factory.mktemp("report"), RECORDING)
    return Page(see(browser, path, "--dump-dom"))


def test_totals_are_those_of_sql(shop):
    true = ask(RECORDING, "select count(*) requests, sum(error) failed, p50(dur_ms) p50, p95(dur_ms) p95,"
                          " p99(dur_ms) p99, max(dur_ms) max from spans")[0]
    for name, value in true.items():
        assert same(shop.texts["total-" + name], value), name
    assert shop.texts["total-conns"] == str(ask(RECORDING, "select count(*) n from connections")[0]["n"])


@pytest.mark.parametrize("table,key,where", [
    ("services", "service, kind, proto", "1"),
    ("queries", "proto, kind, query", "query is not null"),
    ("routes", "service, kind, op, coalesce(route, target) as route", "proto = 'http'"),
])
def test_groups_are_those_of_sql(shop, table, key, where):
    names = [n.strip() for n in key.replace("coalesce(route, target) as route", "route").split(",")]
    true = ask(RECORDING, f"select {key}, count(*) requests, sum(error) errors, p50(dur_ms) p50_ms,"
                          f" p95(dur_ms) p95_ms, p99(dur_ms) p99_ms, max(dur_ms) max_ms,"
                          f" total(dur_ms) total_ms from spans where {where}"
                          f" group by {', '.join(str(i + 1) for i in range(len(names)))}")
    shown = {tuple(r[n] for n in names): r for r in shop.rows(table)}
    assert len(shown) == len(true) == len(shop.rows(table))
    for row in true:
        cells = shown[tuple(row[n] for n in names)]
        for name, value in row.items():
            assert same(cells[name], value), (table, row, name)


def test_the_slowest_come_first(shop):
    true = ask(RECORDING, "select trace_id, dur_ms from spans where dur_ns is not null"
                          " order by dur_ns desc limit 50")
    assert [r["trace_id"] for r in shop.rows("slowest")] == [r["trace_id"] for r in true]
    assert all(same(r["dur_ms"], t["dur_ms"]) for r, t in zip(shop.rows("slowest"), true))


def test_errors_and_what_was_not_decoded(shop):
    true = ask(RECORDING, "select service, kind, coalesce(error_type, status) reason, count(*) n"
                          " from spans where error = 1 group by 1, 2, 3")
    shown = {(r["service"], r["kind"], r["reason"]): r["requests"] for r in shop.rows("errors")}
    assert shown == {(r["service"], r["kind"], r["reason"]): str(r["n"]) for r in true}
    true = ask(RECORDING, "select count(*) n from connections where why is not null")[0]["n"]
    assert sum(int(r["connections"]) for r in shop.rows("unknown")) == true


def test_bars_and_heat_map_hold_every_request(shop):
    spans = ask(RECORDING, "select start_ns, dur_ns from spans where dur_ns is not null")

    def lower(ns):
        low = 0
        while low != 62500 << 22 and ns >= (low * 2 or 62500):
            low = low * 2 or 62500
        return low
    bars = {int(s["data-from-ns"]): int(s["data-count"]) for s in shop.shapes if "bar" in s["class"].split()}
    for s in spans:
        bars[lower(s["dur_ns"])] -= 1
    assert not any(bars.values())
    heat = [s for s in shop.shapes if "heat" in s["class"].split()]
    assert sum(int(s["data-count"]) for s in heat) == len(spans)


def test_the_map_is_that_of_sql(shop):
    true = ask(RECORDING, "select service, proto, count(*) n, sum(error) bad from spans"
                          " where kind = 'client' group by 1, 2")
    shown = {(r["from"], r["protocol"]): (r["requests"], r["failed"]) for r in shop.rows("calls")}
    assert shown == {(r["service"], r["proto"]): (str(r["n"]), str(r["bad"])) for r in true}


def test_a_filter_leaves_requests_out_of_all_figures(tmp_path, browser):
    page = Page(see(browser, report(tmp_path, RECORDING, "--proto", "redis"), "--dump-dom"))
    assert page.texts["total-requests"] == "4"
    assert {r["proto"] for r in page.rows("services")} == {"redis"}


def evil_recording(tmp_path):
    text = {"stringValue": EVIL}
    span = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": EVIL,
            "kind": 3, "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712660050000000",
            "status": {"code": 2},
            "attributes": [{"key": k, "value": text} for k in
                           ("obi.proto", "obi.op", "obi.target", "obi.status", "obi.peer", "error.type",
                            "db.query.text", "network.peer.address", "http.route")]}
    path = tmp_path / "evil.otlp"
    path.write_text(json.dumps({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": text}]},
        "scopeSpans": [{"spans": [span]}]}]}) + "\n")
    return path


def test_what_was_captured_is_never_markup(tmp_path, browser):
    path = report(tmp_path, evil_recording(tmp_path))
    assert "<script" not in path.read_text()
    dom = see(browser, path, "--dump-dom")
    page = Page(dom)
    assert not [t for t, a in page.tags if t in ("script", "img")]
    assert "<title>owned" not in dom and "evil.otlp</title>" in dom
    assert page.rows("services")[0]["service"] == EVIL


def test_the_page_asks_for_nothing_else(shop):
    for tag, attrs in shop.tags:
        for name in ("src", "href", "xlink:href", "action"):
            assert attrs.get(name, "#").startswith("#"), (tag, attrs)
    assert any(a.get("http-equiv") and "default-src 'none'" in a["content"] for t, a in shop.tags if t == "meta")


def test_it_can_be_looked_at(tmp_path, browser):
    path, shot = report(tmp_path, RECORDING), tmp_path / "shot.png"
    see(browser, path, "--window-size=1400,2400", "--hide-scrollbars", f"--screenshot={shot}")
    data = shot.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", data[16:24]) == (1400, 2400)
    assert len(data) > 20000  # an empty page is smaller


def test_usage():
    for args, words in ((["-w", "x.html"], "-r FILE"), (["-r", str(RECORDING)], "-w FILE")):
        got = subprocess.run([OBI, "report", *args], capture_output=True, text=True)
        assert got.returncode == 2 and words in got.stderr
