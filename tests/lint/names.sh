#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# names.sh - an exported symbol begins with the name of its file or folder, of the header that
# declares it, or of a struct or enum that this header is about
#
# usage: names.sh OBJECTS_DIR     (.out/obj); prints offenders and exits 1
# shellcheck disable=SC2013
set -eu

# Short names that are used everywhere, and what they stand for.
also='warn tables main usage_error
	sql_*:src/store pg_*:src/proto proc_*:src/capture cmd_*:cmd view_*:ui writer_*:src
	proto_*:src/proto conn_build:src/span'

objects=${1:-.out/obj}
bad=0

allowed() { # SYMBOL SOURCE
	for rule in $also; do
		where=${rule#*:}
		[ "$where" != "$rule" ] || where=
		# shellcheck disable=SC2254
		case $1 in ${rule%%:*}) case $2 in "$where"*) return 0 ;; esac ;; esac
	done
	return 1
}

fits() { # SYMBOL NAME: NAME, NAME_verb, or the plural
	case $1 in "$2" | "$2"_* | "$2"s_* | "${2%s}"_*) return 0 ;; esac
	return 1
}

by_header() { # SYMBOL FOLDER
	for h in $(grep -lw "$1" "$2"/*.h src/*.h 2>/dev/null); do
		for name in $(basename "$h" .h) $(sed -n 's/^\(struct\|enum\) \([a-z_0-9]*\).*/\2/p' "$h"); do
			fits "$1" "$name" && return 0
		done
	done
	return 1
}

set -f
for o in $(find "$objects" -name '*.o' | sort); do
	src=${o#"$objects"/}
	src=${src%.o}.c
	[ -f "$src" ] || continue
	dir=$(dirname "$src")
	base=$(basename "$src" .c)
	for sym in $(nm -g --defined-only "$o" | awk '$2 ~ /[TDBRVW]/ { print $3 }'); do
		fits "$sym" "$base" && continue
		fits "$sym" "${base%%_*}" && continue
		fits "$sym" "$(basename "$dir")" && continue
		allowed "$sym" "$src" && continue
		(set +f; by_header "$sym" "$dir") && continue
		echo "$src: exports $sym, which does not begin with ${base}_"
		bad=1
	done
done
exit $bad
