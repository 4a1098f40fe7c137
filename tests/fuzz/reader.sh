#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# reader.sh - fuzz the reading of recordings under ASan and UBSan.
#
#	tests/fuzz/reader.sh            at least $N executions (1000000)
#
# Seeds are recordings that tests/otlp/feed makes; inputs that were found are
# kept in $OUT/fuzz/reader (.out/fuzz/reader).
set -eu
cd "$(dirname "$0")/../.."

n=${N:-1000000}
out=${OUT:-.out}/fuzz
mkdir -p "$out/reader"

flags="-std=gnu11 -D_GNU_SOURCE -g -I. -Isrc"
san="-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
base="src/base/str.c src/base/err.c src/base/arena.c src/base/json.c src/base/json_write.c
	src/base/pb.c src/base/own.c src/span/row.c src/span/batch.c src/span/place.c"
read="src/read/*.c src/store/db_read.c src/store/schema.c"

# shellcheck disable=SC2086 # lists of words
clang-14 $flags $san -fsanitize=fuzzer tests/fuzz/reader_fuzz.c $base $read \
	src/write/otlp.c src/write/otlp_json.c src/write/otlp_pb.c -lsqlite3 -lz -lzstd -lpthread -lm \
	-o "$out/reader_fuzz"
# shellcheck disable=SC2086
${CC:-cc} $flags -O1 tests/otlp/feed.c tests/unit/rows.c $base $read src/write/*.c \
	src/store/db.c src/store/segment.c src/store/dict.c -lsqlite3 -lz -lzstd -levent_core -levent_extra -lpthread -lm -o "$out/feed"

for i in 1 2 3; do
	for ending in otlp otlpb otlp.zst otlpb.gz; do
		"$out/feed" "made:$((i * 2)):$i" "$out/reader/seed$i.$ending" 2>/dev/null
	done
done
"$out/reader_fuzz" -runs="$n" -max_len=3000 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
	-artifact_prefix="$out/reader-" "$out/reader" >"$out/reader.log" 2>&1 || {
	tail -n 40 "$out/reader.log" >&2
	echo "a finding, see $out/reader-*" >&2
	exit 1
}
grep '^stat::number_of_executed_units' "$out/reader.log"
