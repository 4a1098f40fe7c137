#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - make bench: what obi costs and what it carries, in one table
#
# usage: run.sh [ROW...]     e.g. run.sh 2 8 14
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "run.sh: the benchmark needs root: sudo make bench" >&2; exit 3; }
tests/setup/servers.sh
out=.out/bench
mkdir -p $out
for p in service syscalls; do
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -o $out/$p tests/bench/$p.c -lpthread
done
for p in redis_load:-lhiredis fork_server: http_load:; do
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -o $out/${p%:*} tests/load/${p%:*}.c ${p#*:}
done
gcc -std=gnu11 -D_GNU_SOURCE -O2 -o $out/bare tests/bench/bare.c -lbpf
bpftool btf dump file /sys/kernel/btf/vmlinux format c >$out/vmlinux.h
clang -O2 -g -target bpf -D__TARGET_ARCH_x86 -mcpu=v3 -I$out -c -o $out/bare.o tests/bench/bare.bpf.c
for p in store_bench otlp_bench query_bench proto_bench ui_rows; do
	# shellcheck disable=SC2046 # a list of objects
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -I. -Isrc -o $out/$p tests/bench/$p.c tests/unit/conv.c \
		$(find .out/obj/src -name '*.o') -lbpf -lelf -lz -lzstd -lsqlite3 -levent_openssl \
		-levent_extra -levent_core -lssl -lcrypto -lm -lpthread 2>$out/$p.log ||
		echo "run.sh: $p cannot be built, see $out/$p.log" >&2
done
[ -n "${NO_STATIC:-}" ] || make -s static || echo "run.sh: no static program; its size is estimated" >&2
exec /usr/bin/python3 -B tests/bench/run.py "$@"
