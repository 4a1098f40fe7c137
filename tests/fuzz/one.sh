#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# one.sh - fuzz one target; run.sh calls it
#
# usage: one.sh NAME [--plant]
# shellcheck disable=SC2086,SC2089,SC2090 # lists of words; a macro that is a string
set -eu
cd "$(dirname "$0")/../.."

name=$1 flags=
plant=${2:-}
n=${N:-1000000}
t=${T:-300}
slice=100 # seconds of a run of libFuzzer: what an interruption costs at most
[ "$t" -ge $slice ] || slice=$t
top=${OUT:-.out}/fuzz
out=$top${plant:+/plant}
mkdir -p "$out/$name"

# ---- what belongs to the target ----

base="src/base/str.c src/base/err.c src/base/arena.c src/base/json.c src/base/json_write.c
	src/base/pb.c src/base/own.c src/span/row.c src/span/batch.c src/span/place.c"
libs="-lsqlite3 -lm -lpthread"
case $name in
sql)
	src="tests/fuzz/sql_fuzz.c src/base/str.c src/proto/sql.c src/proto/sql_summary.c"
	mine="src/proto/sql.c src/proto/sql_summary.c"
	limits="-max_len=1024"
	;;
reader)
	src="tests/fuzz/reader_fuzz.c $base $(echo src/read/*.c) src/store/db_read.c src/store/schema.c
		src/write/otlp.c src/write/otlp_attrs.c src/write/otlp_json.c src/write/otlp_pb.c"
	mine=$(echo src/read/*.c)
	libs="-lz -lzstd $libs"
	limits="-max_len=3000 -rss_limit_mb=2048"
	;;
raw)
	src="tests/fuzz/raw_fuzz.c src/ingest.c $(echo src/base/*.c src/capture/*.c src/conn/*.c \
		src/enrich/*.c src/proto/*.c src/span/*.c src/store/*.c)"
	mine="src/capture/replay.c src/ingest.c $(echo src/conn/*.c) src/span/pair.c src/span/queue.c
		src/span/build.c"
	libs="-lbpf -lelf -lz $libs"
	flags="-include base/banned.h"
	limits="-max_len=32768 -rss_limit_mb=2048"
	;;
opts)
	src="tests/fuzz/opts_fuzz.c cmd/opts.c cmd/args.c cmd/filter_expr.c cmd/suggest.c
		$(echo src/base/*.c src/proto/*.c src/span/row.c src/span/batch.c src/span/place.c src/span/sample.c src/store/*.c)"
	mine="cmd/opts.c cmd/args.c cmd/filter_expr.c cmd/suggest.c src/store/filter.c src/store/hint.c
		src/store/lex.c"
	limits="-max_len=400"
	;;
*)
	[ -d "tests/corpus/$name" ] || { echo "no such target: $name" >&2; exit 2; }
	src="tests/fuzz/proto_fuzz.c tests/unit/feed.c tests/unit/conv.c src/base/str.c src/base/json.c
		src/base/arena.c $(echo src/proto/*.c)"
	# PROTO(1, HTTP, http1) -> http1*.c
	mine=$(sed -n "s/^PROTO([0-9]*, $(echo "$name" | tr '[:lower:]' '[:upper:]'), \(.*\))/\1/p" src/proto/protos.def)
	mine="$(echo "src/proto/$mine"*.c) src/proto/proto.c"
	case $name in
	http) mine="$mine $(echo src/proto/level*.c)" ;;
	fastcgi | uwsgi | scgi) mine="$mine src/proto/cgi.c" ;;
	esac
	limits="-max_len=2048 -rss_limit_mb=1024"
	export OBI_FUZZ_PROTO="$name"
	;;
esac

# Much is allocated and freed in each execution: most of the time went there.
export ASAN_OPTIONS="${ASAN_OPTIONS:-malloc_context_size=4:max_malloc_fill_size=0:quarantine_size_mb=16}"

# ---- build ----

flags="$flags -std=gnu11 -D_GNU_SOURCE -DOBI_VERSION=\"fuzz\" -DOBI_TLS=0 -g -I. -Isrc -I.out/gen -isystem .out/bpf"
if [ "$plant" ]; then
	mkdir -p "$out/base"
	sed -e 's/n > cur_left(c)/n > cur_left(c) + 1/' \
		-e "s/'\\\\n', cur_left(c))/'\\\\n', cur_left(c) + 1)/" src/base/cur.h >"$out/base/$$.h"
	if cmp -s src/base/cur.h "$out/base/$$.h"; then
		echo "cannot plant a bug: cur.h has changed" >&2
		exit 1
	fi
	mv "$out/base/$$.h" "$out/base/cur.h"
	flags="-I$out $flags"
fi
san="-O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"

build() {
	clang-14 $flags $san -fsanitize=fuzzer $src $libs -o "$out/$name.fuzz.new"
	mv "$out/$name.fuzz.new" "$out/$name.fuzz"
	clang-14 $flags -O0 -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer $src $libs \
		-o "$out/$name.cover"
	[ "${OBI_FUZZ_PROTO:-}" ] || return 0
	clang-14 $flags -O0 -fprofile-instr-generate -fcoverage-mapping $src tests/fuzz/proto_main.c $libs \
		-o "$out/$name.cover"
}

# Inputs to begin with; nothing that was found before is lost.
seed() {
	case $name in
	sql)
		printf '\001SELECT a, '\''x'\'' FROM t WHERE id IN (1, 2) -- c' >"$out/sql/seed1"
		printf '\000WITH a AS (SELECT $1) INSERT INTO "b c" VALUES (1, E'\''\\'\''), ($$x$$) /* traceparent='\''00-' \
			>"$out/sql/seed2"
		;;
	reader)
		${CC:-cc} $flags -O1 tests/otlp/feed.c tests/unit/rows.c $base src/read/*.c src/store/db_read.c \
			src/store/schema.c src/write/*.c src/store/db.c src/store/segment.c src/store/dict.c \
			-levent_core -levent_extra $libs -o "$out/feed"
		for i in 1 2 3; do
			for ending in otlp otlpb otlp.zst otlpb.gz; do
				"$out/feed" "made:$((i * 2)):$i" "$out/reader/seed$i.$ending" 2>/dev/null
			done
		done
		;;
	raw)
		cp tests/golden/shop-text/in.obiraw "$out/raw/seed"
		;;
	opts)
		printf -- '-p\n1\n-F\ndur_ms > 5 and code >= 500' >"$out/opts/seed1"
		printf -- '--port\n80,90-99\n--ip\n10.0.0.0/8\n--status\n5xx,404' >"$out/opts/seed2"
		printf -- '--slower\n50ms\n--bigger\n64K\n--query\n*from t*\n--errors\n--\nls' >"$out/opts/seed3"
		;;
	*)
		"$out/$name.cover" -o "$out/$name" "tests/corpus/$name"/*.conv
		;;
	esac
}

# ---- run ----

finding() {
	tail -n 40 "$out/$name.log" >&2
	echo "$name: a finding, see $out/$name-*" >&2
}

# One run of libFuzzer of $1 seconds; the number of executions.
fuzz() {
	"$out/$name.fuzz" -timeout=20 -print_final_stats=1 -max_total_time="$1" $limits \
		-artifact_prefix="$out/$name-" "$out/$name" >"$out/$name.log" 2>&1 || return 1
	sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log"
}

# Percent of all lines of the target's files, and the file with the least.
coverage() {
	rm -f "$out/$name.profraw"
	if [ "${OBI_FUZZ_PROTO:-}" ]; then
		set -- "tests/corpus/$name"/*.conv
	else
		set -- -runs=0 "$out/$name"
	fi
	LLVM_PROFILE_FILE="$out/$name.profraw" "$out/$name.cover" "$@" >/dev/null 2>&1
	llvm-profdata-14 merge "$out/$name.profraw" -o "$out/$name.profdata"
	llvm-cov-14 export -summary-only -instr-profile="$out/$name.profdata" "$out/$name.cover" |
		python3 -c '
import json, sys
files = [(f["summary"]["lines"], f["filename"]) for f in json.load(sys.stdin)["data"][0]["files"]
         if f["filename"].endswith(tuple("/" + m for m in sys.argv[1:]))]
low = min(files, key=lambda f: f[0]["percent"])
print("%.1f%% (least: %s %.1f%%)" % (100 * sum(f[0]["covered"] for f in files) / sum(f[0]["count"] for f in files),
                                     low[1].rsplit("/", 1)[1], low[0]["percent"]))
' $mine
}

if [ "$plant" ]; then
	build
	seed
	if fuzz "$t" >/dev/null; then
		echo "$name: the planted bug was not found" >&2
		exit 1
	fi
	echo "$name: the planted bug was found:" "$(grep -m 1 'ERROR: AddressSanitizer' "$out/$name.log")"
	exit 0
fi

version=$(cat $src tests/fuzz/one.sh src/*/*.h src/*/*.def cmd/*.h cmd/*.def | sha256sum | cut -c1-16)
commit=$(git log -1 --format=%h -- $mine 2>/dev/null || true)
[ -z "$(git status --porcelain -- $mine 2>/dev/null)" ] || commit=$commit+

of=0 execs=0 secs=0
[ ! -f "$out/$name.state" ] || read -r of execs secs <"$out/$name.state"
if [ "$of" != "$version" ] || [ ! -x "$out/$name.cover" ]; then
	execs=0 secs=0
	build
	seed
fi
echo "$version $execs $secs" >"$out/$name.state"

found=none
while [ "$execs" -lt "$n" ] || [ "$secs" -lt "$t" ]; do
	start=$(date +%s)
	if ! got=$(fuzz "$slice"); then
		! grep -q 'libFuzzer: run interrupted' "$out/$name.log" || exit 130
		finding
		found=$(cd "$out" && echo "$name"-*)
		break
	fi
	execs=$((execs + got))
	secs=$((secs + $(date +%s) - start))
	echo "$version $execs $secs" >"$out/$name.state"
	echo "$name: $execs executions in $secs s so far"
done
printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "${commit:-unknown}" "$execs" "$secs" "$(coverage)" "$found" \
	>"$out/$name.result"
[ "$found" = none ]
