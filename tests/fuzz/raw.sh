#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# raw.sh - fuzz raw recordings through every stage, under ASan and UBSan: at least $N executions (1000000)
set -eu
cd "$(dirname "$0")/../.."

n=${N:-1000000}
out=${OUT:-.out}/fuzz
mkdir -p "$out/raw"
cp tests/golden/shop-text/in.obiraw "$out/raw/"
# shellcheck disable=SC2046 # lists of files
clang-14 -std=gnu11 -D_GNU_SOURCE -DOBI_VERSION='"fuzz"' -g -I. -Isrc -I.out/gen -isystem .out/bpf -include base/banned.h -O1 \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined tests/fuzz/raw_fuzz.c src/ingest.c \
	$(ls src/base/*.c src/capture/*.c src/conn/*.c src/enrich/*.c src/proto/*.c src/span/*.c src/store/*.c) \
	-lbpf -lelf -lz -lsqlite3 -lm -lpthread -o "$out/raw_fuzz"
"$out/raw_fuzz" -runs="$n" -max_len=32768 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
	-artifact_prefix="$out/raw-" "$out/raw" >"$out/raw.log" 2>&1 || {
	tail -n 40 "$out/raw.log" >&2
	echo "a finding, see $out/raw-*" >&2
	exit 1
}
grep -E "number_of_executed" "$out/raw.log"
