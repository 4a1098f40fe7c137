#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""collector - what the real Collector sends on is what stands in the recording.

usage: collector.py OTELCOL FEED OBI

A recording of made-up rows (tests/otlp/feed) goes to the Collector: each line of
the .otlp as JSON and each message of the .otlpb as protobuf, to /v1/traces,
/v1/logs or /v1/metrics by its type, and all of it by `obi trace --otlp`, which
records too. The Collector's own exporter sends it on to a server here; every record must arrive
there once, equal to the recorded one, with its resource and scope.
"""
import collections
import gzip
import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import check  # noqa: E402

SIGNALS = ("traces", "logs", "metrics")
NOTHING_REJECTED = (b"", b"{}", b'{"partialSuccess":{}}', b"\x0a\x00")
FRAME = ("obi.capture.start", "obi.capture.end")

CONFIG = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:%d
exporters:
  otlphttp:
    endpoint: http://127.0.0.1:%d
    compression: none
    sending_queue:
      enabled: false
    retry_on_failure:
      enabled: false
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces: {receivers: [otlp], exporters: [otlphttp]}
    logs: {receivers: [otlp], exporters: [otlphttp]}
    metrics: {receivers: [otlp], exporters: [otlphttp]}
"""


def classes():
    """{signal: class of its messages}; TracesData is the same on the wire as a request."""
    from opentelemetry.proto.logs.v1 import logs_pb2
    from opentelemetry.proto.metrics.v1 import metrics_pb2
    from opentelemetry.proto.trace.v1 import trace_pb2
    return dict(zip(SIGNALS, (trace_pb2.TracesData, logs_pb2.LogsData, metrics_pb2.MetricsData)))


# ---- the server that the Collector sends on to ----

class Sink(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SinkHandler)
        self.bodies = []  # (signal, body)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self):
        bodies, self.bodies = self.bodies, []
        return bodies


class SinkHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.bodies.append((self.path.rsplit("/", 1)[-1], body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


# ---- the Collector ----

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Collector:
    def __init__(self, binary, folder, sink):
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.log = os.path.join(folder, "log")
        config = os.path.join(folder, "config.yaml")
        with open(config, "w") as f:
            f.write(CONFIG % (self.port, sink.server_address[1]))
        with open(self.log, "w") as f:
            self.child = subprocess.Popen([binary, "--config", "file:" + config],
                                          stdin=subprocess.DEVNULL, stdout=f, stderr=f)

    def __enter__(self):
        end = time.monotonic() + 60
        while time.monotonic() < end and self.child.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.1)
        self.__exit__()
        with open(self.log) as f:
            sys.exit("not ok: the Collector did not start\n" + f.read())

    def __exit__(self, *args):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def post(self, signal, body, kind):
        req = urllib.request.Request("%s/v1/%s" % (self.url, signal), body,
                                     {"Content-Type": kind})
        with urllib.request.urlopen(req, timeout=30) as answer:
            text = answer.read()
        assert text in NOTHING_REJECTED, text


# ---- records ----

def records(messages):
    """A count of (signal, resource, scope, record) in these messages.

    The Collector writes an absent body of a log record as a value that is empty.
    """
    out = collections.Counter()
    for signal, m in messages:
        for r in getattr(m, m.DESCRIPTOR.fields[0].name):
            for s in getattr(r, r.DESCRIPTOR.fields_by_number[2].name):
                for x in getattr(s, s.DESCRIPTOR.fields_by_number[2].name):
                    if signal == "logs" and x.body.WhichOneof("value") is None:
                        x.ClearField("body")
                    out[(signal, r.schema_url, r.resource.SerializeToString(deterministic=True),
                         s.schema_url, s.scope.SerializeToString(deterministic=True),
                         x.SerializeToString(deterministic=True))] += 1
    return out


def is_frame(signal, record):
    """obi.capture.start and .end stand for the file: an export has neither."""
    return signal == "logs" and classes()["logs"]().resource_logs.add().scope_logs.add() \
        .log_records.add().FromString(record).event_name in FRAME


def rows(counts):
    """What a program that reads the recording can tell: neither its frame, nor who wrote it."""
    resource = classes()["traces"]().resource_spans.add().resource
    out = collections.Counter()
    for (signal, url, res, scope_url, scope, record), n in counts.items():
        if is_frame(signal, record):
            continue
        resource.ParseFromString(res)
        kept = [a for a in resource.attributes if a.key != "host.name"]
        del resource.attributes[:]
        resource.attributes.extend(kept)
        out[(signal, url, resource.SerializeToString(deterministic=True), scope_url, b"",
             record)] += n
    return out


def compare(what, got, want, signals=("traces", "logs"), part=lambda x: x):
    """got: [(signal, body)] at the sink; some of each of these signals must be there."""
    cls = classes()
    got = part(records((signal, cls[signal].FromString(body)) for signal, body in got))
    missing, more = want - got, got - want
    n = collections.Counter()
    for key, count in got.items():
        n[key[0]] += count
    if missing or more or not all(n[s] for s in signals):
        print("not ok %s: of %d records %d did not arrive, %d others did" % (
            what, want.total(), missing.total(), more.total()))
        for name, counts in (("missing", missing), ("instead", more)):
            for key in list(counts)[:2]:
                print(name, key)
        sys.exit(1)
    print("ok %s: %d spans, %d log records, %d metrics sent on, equal to the recording" % (
        what, n["traces"], n["logs"], n["metrics"]))


def signal_of_line(line):
    key = next(iter(json.loads(line)))
    return {"resourceSpans": "traces", "resourceLogs": "logs", "resourceMetrics": "metrics"}[key]


def post_lines(col, path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            col.post(signal_of_line(line), line.encode(), "application/json")


def read_metrics(path):
    from google.protobuf import json_format
    with open(path, encoding="utf-8") as f:
        for line in f:
            yield json_format.ParseDict(json.loads(line), classes()["metrics"]())


def pb_bodies(path):
    """Messages of a length-prefixed recording, as (signal, body)."""
    signals = {cls: signal for signal, cls in classes().items()}
    for message in check.read_pb(path):
        yield signals[type(message)], message.SerializeToString()


def main():
    check.in_venv()
    otelcol, feed, obi = sys.argv[1:]
    sink = Sink()
    with tempfile.TemporaryDirectory() as tmp, Collector(otelcol, tmp, sink) as col:
        lines, framed = os.path.join(tmp, "run.otlp"), os.path.join(tmp, "run.otlpb")
        for path in (lines, framed):
            subprocess.run([feed, "made:3000:7", path], check=True, stderr=subprocess.DEVNULL)
        signals = {cls: signal for signal, cls in classes().items()}
        want = records((signals[type(m)], m) for m in check.read_json(lines))

        post_lines(col, lines)
        compare("JSON, line by line", sink.take(), want)

        metrics = os.path.join(HERE, "metrics.jsonl")
        post_lines(col, metrics)
        compare("metrics of another program", sink.take(),
                records(("metrics", m) for m in read_metrics(metrics)), ["metrics"])

        for signal, body in pb_bodies(framed):
            col.post(signal, body, "application/x-protobuf")
        compare("protobuf, message by message", sink.take(), want)

        again = os.path.join(tmp, "again.otlp")
        for what, env in (("--otlp, protobuf", {}),
                          ("--otlp, gzip", {"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}),
                          ("--otlp, JSON", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"})):
            done = subprocess.run([obi, "trace", "-q", "--show-secrets", "-r", lines, "-w", again,
                                   "--otlp", col.url, "-o", "json"],
                                  env=dict(os.environ, **env), timeout=120,
                                  capture_output=True, text=True)
            if done.returncode:
                sys.exit("not ok %s: %s" % (what, done.stderr))
            want = records((signals[type(m)], m) for m in check.read_json(again))
            compare(what, sink.take(), rows(want), part=rows)
    print("ok")


if __name__ == "__main__":
    main()
