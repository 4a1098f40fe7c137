#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# collector - exports to the real OpenTelemetry Collector and counts what it took.
#
# usage: collector.sh COMMAND [IN]
#
# COMMAND IN URL must export IN to URL: tests/otlp/feed's binary, or a script
# round `obi trace -r`. The Collector is built once with Go into
# $OBI_COLLECTOR (default: .out/otelcol, about three minutes).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")
home=${OBI_COLLECTOR:-$root/.out/otelcol}
command=$1
input=${2:-made:3000:7}
port=${OBI_COLLECTOR_PORT:-24318}

if [ ! -x "$home/out/otelcol" ]; then
	mkdir -p "$home"
	cp "$here/builder.yaml" "$home/"
	cd "$home"
	GOBIN=$home go install go.opentelemetry.io/collector/cmd/builder@v0.120.0
	./builder --config builder.yaml
	cd - >/dev/null
fi

tmp=$(mktemp -d)
collector=
cleanup()
{
	if [ -n "$collector" ]; then
		kill "$collector" 2>/dev/null || true
		wait "$collector" 2>/dev/null || true
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT

cat >"$tmp/config.yaml" <<EOF
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:$port
exporters:
  debug:
    verbosity: detailed
    sampling_initial: 1000000
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
    logs:
      receivers: [otlp]
      exporters: [debug]
EOF
: >"$tmp/log"
"$home/out/otelcol" --config "$tmp/config.yaml" >"$tmp/log" 2>&1 &
collector=$!
for _ in $(seq 100); do
	grep -q 'Everything is ready' "$tmp/log" && break
	sleep 0.1
done

one()
{
	spans0=$(grep -c '^Span #' "$tmp/log" || true)
	logs0=$(grep -c '^LogRecord #' "$tmp/log" || true)
	"$command" "$input" "http://127.0.0.1:$port" 2>"$tmp/err" || {
		cat "$tmp/err"
		exit 1
	}
	sleep 0.5
	spans=$(($(grep -c '^Span #' "$tmp/log" || true) - spans0))
	logs=$(($(grep -c '^LogRecord #' "$tmp/log" || true) - logs0))
	echo "$1: the Collector took $spans spans and $logs log records; $(tail -1 "$tmp/err")"
	if [ "${first:-$spans $logs}" != "$spans $logs" ] || [ "$spans" -eq 0 ]; then
		echo "not ok: not the same as before"
		exit 1
	fi
	first="$spans $logs"
	if grep -q 'lost [1-9]' "$tmp/err"; then
		cat "$tmp/err"
		exit 1
	fi
}

one protobuf
OTEL_EXPORTER_OTLP_COMPRESSION=gzip one "protobuf, gzip"
OTEL_EXPORTER_OTLP_PROTOCOL=http/json one JSON
echo ok
