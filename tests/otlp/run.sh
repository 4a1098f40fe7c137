#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - what we write is what the official classes read, and what a server takes
#
# usage: tests/otlp/run.sh [--collector]     from the root; with the real Collector too
set -eu

feed=.out/tests/otlp/feed
${MAKE:-make} -s $feed
if [ "${1:-}" = --collector ]; then
	exec tests/otlp/collector.sh $feed
fi
python3 tests/otlp/check.py $feed
python3 tests/otlp/export.py $feed
