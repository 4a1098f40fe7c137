#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - fuzz all that reads what strangers wrote, under ASan and UBSan
#
#	tests/fuzz/run.sh [NAME...]     http, redis, ..., sql, reader, raw, opts; default: all
#	tests/fuzz/run.sh --plant [NAME...]
#	                                reads one byte too far on purpose, in a copy of
#	                                src/base/cur.h; succeeds if each protocol's run finds it
#
# Each at least $N executions (1000000) and at least $T seconds (300), $JOBS (2) at
# a time. What was interrupted goes on where it was; what is done already, with the
# same sources, is not done again. Prints, and keeps in $OUT/fuzz/results
# (.out/fuzz/results): name, commit of its files, executions, seconds, line
# coverage of its files (protocols: from tests/corpus alone; else from all that
# was found) with the lowest of them, findings.
set -eu
cd "$(dirname "$0")/../.."

# the library of the fuzzer is only recommended by the compiler's package
printf 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return !p && n; }' |
	clang-14 -fsanitize=fuzzer,address -x c -o /dev/null - 2>/dev/null ||
	sh tests/setup/servers.sh clang-14 libclang-rt-14-dev

plant=
if [ "${1:-}" = --plant ]; then
	plant=--plant
	shift
fi
names=$(cd tests/corpus && printf '%s ' */ | tr -d /)
[ "$plant" ] || names="$names sql reader raw opts"
# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $names
out=${OUT:-.out}/fuzz
mkdir -p "$out"

failed=0
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I NAME sh tests/fuzz/one.sh NAME $plant || failed=1
[ -z "$plant" ] || exit "$failed"
{
	printf 'name\tcommit\texecutions\tseconds\tcoverage\tfindings\n'
	cat "$out"/*.result
} | expand -t 12,24,36,46,80 | tee "$out/results"
exit "$failed"
