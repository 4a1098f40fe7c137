#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# collector.sh - builds the real OpenTelemetry Collector and compares what it sends on
#
# usage: tests/otlp/collector.sh FEED     from the root; FEED is tests/otlp/feed's binary
#        77: skipped, there is no Go
#
# The Collector is built once with Go, from modules of fixed versions and sums,
# into $OBI_COLLECTOR (default: .out/otelcol, about three minutes).
set -eu

feed=$(realpath "$1")
bin=$(realpath -m "${OBI_COLLECTOR:-.out/otelcol}")/otelcol
PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin
export GOTOOLCHAIN=local GOFLAGS=

has_go() {
	command -v go >/dev/null || return 1
	[ "$(printf 'go1.23\n%s\n' "$(go env GOVERSION)" | sort -V | head -1)" = go1.23 ]
}

# What was downloaded and compiled stays: another try goes on where one broke off.
build() {
	for wait in 5 20 0; do
		(cd tests/otlp/otelcol && timeout 600 go build -p 2 -mod=readonly -trimpath \
			-ldflags='-s -w' -o "$bin" .) && return
		echo "collector: not built, waiting $wait s"
		sleep "$wait"
	done
	return 1
}

if [ ! -x "$bin" ]; then
	if ! has_go; then
		echo "collector: skipped, needs Go 1.23 or later to build it"
		exit 77
	fi
	echo "collector: building it"
	build
fi
exec timeout 600 python3 tests/otlp/collector.py "$bin" "$feed" ./obi
