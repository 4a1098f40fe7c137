#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""check - recordings against the official protobuf classes.

usage: check.py COMMAND [IN]

COMMAND is `obi trace -r` or tests/otlp/feed's binary; IN a recording (default:
made-up rows, which only feed makes). Writes IN as .otlp and .otlpb, reads both
with the classes of opentelemetry-proto, and compares every span and row, column
by column as columns.def places them, with the JSON rows of the same input.

The classes are installed once, into a virtual environment under $OBI_VENV
(default: .out/otlp-venv).
"""
import base64
import codecs
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def in_venv():
    """Starts itself again inside an environment that has the classes."""
    try:
        import opentelemetry.proto.trace.v1.trace_pb2  # noqa: F401
        return
    except ImportError:
        pass
    home = os.environ.get("OBI_VENV", os.path.join(ROOT, ".out", "otlp-venv"))
    python = os.path.join(home, "bin", "python3")
    if os.path.realpath(sys.prefix) == os.path.realpath(home) or not os.path.exists(python):
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "opentelemetry-proto", "protobuf"],
                       check=True)
    os.execv(python, [python] + sys.argv)


def each_byte(error):
    """obi writes one U+FFFD for each byte that is no UTF-8."""
    return "\ufffd" * (error.end - error.start), error.end


def columns():
    """{table: [(type, name, place)]} of columns.def."""
    out = {}
    line = re.compile(r'(SPAN|CONN|PROC|CAPTURE)_COLUMNS\((\w+), (\w+), "([^"]*)"')
    with open(os.path.join(ROOT, "src", "span", "columns.def")) as f:
        for m in line.finditer(f.read()):
            name = m[3] + "_ms" if m[2] == "MS" else m[3]
            out.setdefault(m[1], []).append((m[2], name, m[4]))
    return out


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    v = getattr(any_value, kind)
    if kind == "array_value":
        return [value(x) for x in v.values]
    if kind == "kvlist_value":
        return {x.key: value(x.value) for x in v.values}
    if kind == "bytes_value":
        return v.decode("utf-8", "eachbyte")
    return v


def attributes(of):
    keys = [a.key for a in of.attributes]
    assert len(keys) == len(set(keys)), "attribute keys must be unique: %r" % keys
    return {a.key: value(a.value) for a in of.attributes}


# ---- reading ----

HEX = ("traceId", "spanId", "parentSpanId")


def hex_ids(x):
    """OTLP JSON has ids in hex where protobuf's own JSON has base64."""
    if isinstance(x, list):
        return [hex_ids(y) for y in x]
    if not isinstance(x, dict):
        return x
    return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in HEX else hex_ids(v)
            for k, v in x.items()}


def read_json(path):
    from google.protobuf import json_format
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2
    with open(path, encoding="utf-8") as f:
        for line in f:
            assert len(line) < 1 << 20, "the Collector reads lines below 1 MiB"
            data = json.loads(line)
            kind = trace_pb2.TracesData if "resourceSpans" in data else logs_pb2.LogsData
            yield json_format.ParseDict(hex_ids(data), kind())  # strict: unknown fields fail


def read_pb(path):
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2
    with open(path, "rb") as f:
        data = f.read()
    while data:
        size = int.from_bytes(data[:4], "big")
        message, data = data[4:4 + size], data[4 + size:]
        assert len(message) == size
        traces = trace_pb2.TracesData.FromString(message)
        spans = [s for r in traces.resource_spans for c in r.scope_spans for s in c.spans]
        if spans and all(s.end_time_unix_nano or s.name or s.kind or len(s.span_id) == 8
                         or s.flags for s in spans):
            yield traces
        else:
            yield logs_pb2.LogsData.FromString(message)


# ---- comparing ----

def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


KINDS = {0: None, 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


def signed(n):
    return n - (1 << 64) if n >= 1 << 63 else n


def fields(span, nulls):
    """What columns.def places at "." ."""
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    out = {
        "start_ns": signed(start),
        "dur_ms": signed((end - start) % (1 << 64)) / 1e6,
        "trace_id": span.trace_id.hex() or None,
        "span_id": span.span_id.hex() or None,
        "parent_span_id": span.parent_span_id.hex() or None,
        "kind": KINDS[span.kind],
        "name": span.name,
        "error": span.status.code == 2,
    }
    return {k: None if k in nulls else v for k, v in out.items()}


def as_row(cols, attrs, resource, span):
    """The JSON row that these attributes stand for."""
    row = fields(span, attrs.pop("obi.null", [])) if span else {}
    whole = attrs.pop("obi.attrs", None)
    for kind, name, place in cols:
        if name in row or place in ("", ".") or kind in ("V", "AT"):
            continue
        if place.startswith("@resource:"):
            v = resource.get(place[len("@resource:"):])
        else:
            v = attrs.pop(place, None)
        if kind == "MS" and v is not None:
            v /= 1e6
        if kind == "F":
            v = v or []
        row[name] = v
    if span:
        row["attrs"] = json.loads(whole) if whole is not None else attrs or None
    return row


def recorded(messages):
    """Rows by table, of one recording."""
    cols = columns()
    events = {"obi.conn": ("connections", "CONN"), "obi.process": ("processes", "PROC"),
              "obi.capture": ("capture", "CAPTURE")}
    out = {"spans": [], "connections": [], "processes": [], "capture": []}
    frame = []
    for m in messages:
        if hasattr(m, "resource_spans"):
            for r in m.resource_spans:
                assert r.schema_url == "https://opentelemetry.io/schemas/1.44.0"
                for c in r.scope_spans:
                    assert c.scope.name == "obi"
                    for s in c.spans:
                        assert s.flags & 0x100
                        out["spans"].append(
                            as_row(cols["SPAN"], attributes(s), attributes(r.resource), s))
            continue
        for r in m.resource_logs:
            for c in r.scope_logs:
                for rec in c.log_records:
                    if rec.event_name in events:
                        table, key = events[rec.event_name]
                        out[table].append(as_row(cols[key], attributes(rec), {}, None))
                    else:
                        frame.append((rec.event_name, attributes(rec)))
    assert frame[0][0] == "obi.capture.start" and frame[0][1]["obi.format"] == 1
    assert frame[-1][0] == "obi.capture.end"
    for table, rows in out.items():
        assert frame[-1][1]["obi.rows." + table] == len(rows), table
    return out


def wanted(path):
    """Rows by table, of JSON lines."""
    out = {"spans": [], "connections": [], "processes": [], "capture": []}
    with open(path, encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            if "summary" in row:
                continue
            row.pop("time", None)
            out[row.pop("table", "spans")].append(row)
    return out


def key_of(row):
    return json.dumps({k: v for k, v in row.items()
                       if not k.endswith("_ms") and not isinstance(v, dict)},
                      sort_keys=True)


def compare(what, got, want, tables):
    for table in tables:
        assert len(got[table]) == len(want[table]), \
            "%s: %d %s, not %d" % (what, len(got[table]), table, len(want[table]))
        for a, b in zip(sorted(got[table], key=key_of), sorted(want[table], key=key_of)):
            for k in b:
                assert same(a.get(k), b[k]), "%s: %s.%s is %r, not %r" % (
                    what, table, k, a.get(k), b[k])
    print("ok %s: %s" % (what, ", ".join("%d %s" % (len(want[t]), t) for t in tables)))


# ---- spans of other programs ----

def lists(messages):
    """Events and links of each span, by its id."""
    spans = [s for m in messages if hasattr(m, "resource_spans")
             for r in m.resource_spans for c in r.scope_spans for s in c.spans]
    return {s.span_id: (list(s.events), list(s.links)) for s in spans}


def keeps_lists(command, tmp):
    """Events and links come through: read, written, and once more in the other format."""
    source = os.path.join(HERE, "foreign.jsonl")
    with open(source, encoding="utf-8") as f:
        lines = [line for line in f if line.startswith('{"resourceSpans')]
    own = os.path.join(tmp, "own.jsonl")
    with open(own, "w", encoding="utf-8") as f:
        f.writelines(lines)
    want = lists(read_json(own))
    for name, read in (("a.otlpb", read_pb), ("b.otlp", read_json), ("c.otlpb", read_pb)):
        path = os.path.join(tmp, name)
        done = subprocess.run(command + [source, path], check=True, capture_output=True, text=True)
        if source.endswith(".jsonl"):
            assert "logs 1 metrics 3" in done.stderr, done.stderr
        got = lists(read(path))
        assert got == want, "%s: %r, not %r" % (name, got, want)
        source = path
    print("ok events and links of %d spans of another program" % len(want))


def main():
    in_venv()
    codecs.register_error("eachbyte", each_byte)
    command = sys.argv[1].split()
    feed = os.path.basename(command[0]).startswith("feed")
    source = sys.argv[2] if len(sys.argv) > 2 else "made:3000:7"
    with tempfile.TemporaryDirectory() as tmp:
        def run(name):
            path = os.path.join(tmp, name)
            if feed:
                out = "json:" + path if name.endswith(".json") else path
                args = command + [source, out]
            elif name.endswith(".json"):
                args = command + [source, "-o", "json"]
            else:
                args = command + [source, "-o", "json", "-w", path]
            done = subprocess.run(args, check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
            if not feed and name.endswith(".json"):
                with open(path, "wb") as f:
                    f.write(done.stdout)
            return path

        want = wanted(run("rows.json"))
        tables = list(want) if feed else ["spans"]
        compare("JSON lines", recorded(read_json(run("run.otlp"))), want, tables)
        compare("protobuf", recorded(read_pb(run("run.otlpb"))), want, tables)
        if feed:
            keeps_lists(command, tmp)


if __name__ == "__main__":
    main()
