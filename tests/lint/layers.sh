#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# layers.sh - who may include whom, and which folder owns which library
#
# Run from the root; prints offenders and exits 1. A folder may always include
# itself; src/*.[ch] tie the stages together and may include them all.
# shellcheck disable=SC2013
set -eu

rules='bpf:
base: bpf
capture: base bpf
proto: base
conn: base bpf proto capture
span: base conn proto
enrich: base span bpf
store: base span write
write: base span
read: base span store
ui: base cmd
cmd: base ui'
# The contracts that the face of the capture is made of; commands may name them.
contracts='session.h store/complete.h store/list.h store/agg.h store/rank.h capture/capture.h proto/proto.h span/span.h span/batch.h span/sample.h store/store.h
	write/writer.h write/map.h write/html.h read/reader.h bpf/event.h base/arena.h'
owners='sqlite3.h:src/store bpf/libbpf.h:src/capture bpf/bpf.h:src/capture gelf.h:src/capture
	libelf.h:src/capture event2/event.h:src/write event2/http.h:src/write openssl/ssl.h:src/write zstd.h:src/read,src/write
	ncurses.h:ui readline/readline.h:cmd maxminddb.h:src/enrich'

contracts=" $(echo "$contracts" | tr -s '\n\t' '  ') "

bad=0
say() {
	echo "$1"
	bad=1
}

for f in $(git ls-files -co --exclude-standard -- 'bpf/*.[ch]' 'src/*.[ch]' 'ui/*.[ch]' 'cmd/*.[ch]' | sort); do
	dir=$(dirname "$f")
	layer=${dir#src/}
	may=" $layer $(printf '%s\n' "$rules" | sed -n "s|^$layer:||p") "
	for h in $(sed -n 's|^#include "\([a-z_0-9/.]*\)".*|\1|p' "$f"); do
		case $h in *.c) say "$f: includes $h" ;; esac
		case $h in
		*.skel.h) [ "$layer" = capture ] || say "$f: only src/capture includes $h"; continue ;;
		*.def | *.inc) continue ;;
		esac
		[ "$dir" != src ] || continue
		case $layer in
		cmd | ui) case $contracts in *" $h "*) continue ;; esac ;;
		esac
		case $h in
		*/*) to=${h%%/*} ;;
		*) to=src ;;
		esac
		case $may in
		*" $to "*) ;;
		*) say "$f: $layer must not include $h" ;;
		esac
	done
	for own in $owners; do
		grep -q "^#include <${own%%:*}>" "$f" || continue
		case ",${own#*:}," in
		*",$dir,"*) ;;
		*) say "$f: only ${own#*:} includes <${own%%:*}>" ;;
		esac
	done
done

# A protocol knows no other protocol, a view no other view.
for f in src/proto/*.c ui/view_*.c; do
	[ -f "$f" ] || continue
	name=$(basename "$f" .c)
	for h in $(sed -n 's|^#include "proto/\([a-z0-9_]*\)\.h".*|\1|p; s|^#include "ui/\(view_[a-z0-9_]*\)\.h".*|\1|p' "$f"); do
		grep -q "PROTO(.*, $h)" src/proto/protos.def || continue
		case $name in
		"$h" | "$h"_*) ;;
		*) say "$f: a protocol must not include another ($h.h)" ;;
		esac
	done
done
exit $bad
