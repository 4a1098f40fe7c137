#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - fuzz the parsers under ASan and UBSan.
#
#	tests/fuzz/run.sh [PROTO [SECONDS]]     PROTO: http, redis, ...; default: each in turn
#	tests/fuzz/run.sh --plant [PROTO]       reads one byte too far on purpose, in a copy
#	                                        of src/base/cur.h; succeeds if that is found
#
# Runs at least SECONDS (60) and at least $N executions (1000000) a parser, then
# prints the line coverage of the parsers' files from tests/corpus alone. Inputs
# that were found are kept in $OUT/fuzz (.out/fuzz).
set -eu
cd "$(dirname "$0")/../.."

plant=
if [ "${1:-}" = --plant ]; then
	plant=1
	shift
fi
protos=${1:-$(cd tests/corpus && printf '%s ' */ | tr -d /)}
seconds=${2:-60}
n=${N:-1000000}
out=${OUT:-.out}/fuzz
mkdir -p "$out"

if [ "$plant" ]; then
	out=$out/plant
	mkdir -p "$out/base"
	sed -e 's/n > cur_left(c)/n > cur_left(c) + 1/' \
		-e "s/'\\\\n', cur_left(c))/'\\\\n', cur_left(c) + 1)/" src/base/cur.h >"$out/base/cur.h"
	if cmp -s src/base/cur.h "$out/base/cur.h"; then
		echo "cannot plant a bug: cur.h has changed" >&2
		exit 1
	fi
	CPPFLAGS="-I$out ${CPPFLAGS:-}"
fi

flags="-std=gnu11 -D_GNU_SOURCE -g ${CPPFLAGS:-} -I. -Isrc"
sources="tests/fuzz/proto_fuzz.c tests/unit/feed.c tests/unit/conv.c src/base/str.c ${SOURCES:-src/proto/*.c}"
san="-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"

# shellcheck disable=SC2086 # lists of words
clang-14 $flags $san -fsanitize=fuzzer $sources -o "$out/proto_fuzz"
# shellcheck disable=SC2086
clang-14 $flags -O0 -fprofile-instr-generate -fcoverage-mapping $sources tests/fuzz/proto_main.c \
	-o "$out/proto_cov"

# One run of libFuzzer; prints the number of executions.
fuzz() {
	proto=$1
	shift
	OBI_FUZZ_PROTO=$proto "$out/proto_fuzz" -max_len=2048 -rss_limit_mb=1024 -timeout=10 \
		-print_final_stats=1 -artifact_prefix="$out/$proto-" "$@" "$out/$proto" \
		>"$out/$proto.log" 2>&1 || {
		tail -n 40 "$out/$proto.log" >&2
		echo "$proto: a finding, see $out/$proto-*" >&2
		exit 1
	}
	sed -n 's/^stat::number_of_executed_units: *//p' "$out/$proto.log"
}

for proto in $protos; do
	mkdir -p "$out/$proto"
	"$out/proto_cov" -o "$out/$proto" "tests/corpus/$proto"/*.conv
	if [ "$plant" ]; then
		if (fuzz "$proto" -max_total_time="$seconds") >/dev/null 2>&1; then
			echo "$proto: the planted bug was not found" >&2
			exit 1
		fi
		echo "$proto: the planted bug was found:" \
			"$(grep -m 1 'ERROR: AddressSanitizer' "$out/$proto.log")"
		continue
	fi
	start=$(date +%s)
	done=$(fuzz "$proto" -max_total_time="$seconds")
	while [ "$done" -lt "$n" ]; do
		done=$((done + $(fuzz "$proto" -runs=$((n - done)))))
	done
	echo "$proto: $done executions in $(($(date +%s) - start)) s, no finding"
done

[ -z "$plant" ] || exit 0
for proto in $protos; do
	LLVM_PROFILE_FILE="$out/$proto.profraw" OBI_FUZZ_PROTO=$proto \
		"$out/proto_cov" "tests/corpus/$proto"/*.conv
done
llvm-profdata-14 merge "$out"/*.profraw -o "$out/profdata"
# the files of the parsers that ran: PROTO(1, HTTP, http1) -> http1*.c
files=proto
for proto in $protos; do
	name=$(echo "$proto" | tr a-z A-Z)
	files="$files|$(sed -n "s/^PROTO([0-9]*, $name, \(.*\))/\1/p" src/proto/protos.def)"
done
[ $# -gt 0 ] || files=.

echo "line coverage from tests/corpus:"
llvm-cov-14 export -summary-only -instr-profile="$out/profdata" "$out/proto_cov" src/proto |
	python3 -c '
import json, re, sys
for f in json.load(sys.stdin)["data"][0]["files"]:
    n = f["summary"]["lines"]
    if re.match(r".*/src/proto/(%s)[a-z0-9_]*\.c" % sys.argv[1], f["filename"]):
        print("  %5.1f%%  %s" % (n["percent"], f["filename"].split("/src/")[-1]))
' "$files"
