#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154,SC2187 # the ports come from /etc/servers
# peers_guest.sh - /init of the VM: one client of nginx without a tracer and under each, in turn
#
# /out/table has a line a phase: name, requests a second, p50 us, and of a tracer: requests
# shown, requests sent, seconds from exec to the first one shown, CPU time during the load (ms),
# KiB of RSS (anonymous) before and after it.
. /etc/boot.sh

next=1
turns() { # N: that many requests, none of whose targets was there before; "QPS P50"
	http_turns "$nginx_port" $next "$1" "$each"
}

base() {
	echo "base $(turns "$requests")" >>/out/table
	next=$((next + requests))
}

shown() { # FILE: how many of the last $requests are in it, each counted once
	grep -ao '/r/[0-9]*' "$1" | sort -u | awk -F/ -v first=$next -v n="$requests" \
		'$3 >= first && $3 < first + n { m++ } END { print m + 0 }'
}

settled() { # FILE: it has not grown for three seconds
	was=$(wc -c <"$1")
	sleep 3
	[ "$was" = "$(wc -c <"$1")" ]
}

memory() { # PID: "RSS(anonymous)"
	awk '/^VmRSS/ { r = $2 } /^RssAnon/ { a = $2 } END { printf "%d(%d)", r, a }' "/proc/$1/status"
}

cpu() { # PID: ms so far
	awk '{ print ($14 + $15) * 10 }' "/proc/$1/stat"
}

seconds() {
	cut -d' ' -f1 /proc/uptime
}

tracer() { # NAME COMMAND...: that writes a line or more for every request
	name=$1 file=/out/$1.$round
	shift
	begin=$(seconds) tries=0
	"$@" >"$file" 2>&1 &
	pid=$!
	until grep -aq "/r/[0-9]" "$file"; do # it may never come: then the table says so
		tries=$((tries + 1))
		[ $tries -lt 300 ] && [ -d /proc/$pid ] || break
		turns 1 >/dev/null
		next=$((next + 1))
		usleep 100000
	done
	first=$(awk -v a="$begin" -v b="$(seconds)" 'BEGIN { print b - a }')
	sleep 3
	before=$(memory $pid) spent=$(cpu $pid)
	rate=$(turns "$requests")
	waited "the end of $name" settled "$file"
	spent=$(($(cpu $pid) - spent)) after=$(memory $pid)
	cat /proc/$pid/task/*/stat >"$file.threads"
	echo "$name $rate $(shown "$file") $requests $first $spent $before $after" >>/out/table
	next=$((next + requests))
	kill -INT $pid
	(sleep 20; kill -KILL $pid 2>/dev/null) &
	wait $pid
	gzip "$file"
	sleep 2 # its probes go
}

boot
mkdir -p /sys/kernel/debug /sys/fs/cgroup
mount -t debugfs none /sys/kernel/debug
mount -t cgroup2 none /sys/fs/cgroup
. /etc/servers
requests=$(argument requests) rounds=$(argument rounds) each=$(argument each)
echo "guest: $(uname -r)"
$nginx_start &
waited nginx listening "$nginx_port"
waited "the worker of nginx" sh -c 'set -- $(pidof nginx); [ $# = 2 ]'
master=$(cat "$nginx_dir/pid")
worker=$(pidof nginx | tr ' ' '\n' | grep -vx "$master")
sleep 10
turns "$requests" >/dev/null # warm: what the kernel does for the first time
next=$((next + requests))
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	base
	tracer obi obi trace -o text -p "$worker"
	base
	if [ -x /bin/ebpf-instrument ]; then
		export OTEL_EBPF_OPEN_PORT=$nginx_port OTEL_EBPF_TRACE_PRINTER=text
		tracer ebpf-instrument ebpf-instrument
		base
	fi
	if [ -x /bin/kyanos ]; then
		tracer kyanos kyanos watch http --debug-output --pids "$worker"
		base
	fi
done
cat /out/table
results
