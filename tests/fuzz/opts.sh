#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# opts.sh - fuzz the command line and the filter under ASan and UBSan: at least $N executions (1000000)
set -eu
cd "$(dirname "$0")/../.."

n=${N:-1000000}
out=${OUT:-.out}/fuzz
mkdir -p "$out/opts"
printf -- '-p\n1\n-F\ndur_ms > 5 and code >= 500' >"$out/opts/a"
printf -- '--port\n80,90-99\n--ip\n10.0.0.0/8\n--status\n5xx,404' >"$out/opts/b"
printf -- '--slower\n50ms\n--bigger\n64K\n--query\n*from t*\n--errors\n--\nls' >"$out/opts/c"

# shellcheck disable=SC2046 # lists of files
clang-14 -std=gnu11 -D_GNU_SOURCE -DOBI_VERSION='"fuzz"' -g -I. -Isrc -I.out/gen -O1 \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
	tests/fuzz/opts_fuzz.c cmd/opts.c cmd/args.c cmd/filter_expr.c cmd/suggest.c \
	$(ls src/base/*.c src/proto/*.c src/span/row.c src/span/batch.c src/span/place.c src/store/*.c) \
	-lsqlite3 -lm -lpthread -o "$out/opts_fuzz"
"$out/opts_fuzz" -runs="$n" -max_len=400 -timeout=20 -print_final_stats=1 \
	-artifact_prefix="$out/opts-" "$out/opts" >"$out/opts.log" 2>&1 || {
	tail -n 40 "$out/opts.log" >&2
	echo "a finding, see $out/opts-*" >&2
	exit 1
}
grep -E "number_of_executed|average_exec" "$out/opts.log"
