#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2034,SC2154,SC2187 # the ports come from, and go to, variables by name
# guest.sh - /init of the VM: every server under its load, traced; then the results, then off
. /etc/boot.sh

traced() { # NAME PIDS LOAD...: a load, traced together with PIDS: its server's, or none where it is its own
	name=$1 pids=$2
	shift 2
	rm -f /tmp/gate
	mkfifo /tmp/gate
	(read -r _ </tmp/gate; exec "$@" >>/out/$name.load 2>&1) &
	load=$!
	obi trace --show-secrets -o json -p "${pids:+$pids,}$load" >/out/$name.json 2>/out/$name.err &
	obi=$!
	waited "obi on $name" grep -q 'obi: attached' /out/$name.err
	echo go >/tmp/gate
	wait $load
	echo "guest: $name: load ended with $?"
	sleep 1
	kill -INT $obi
	wait $obi
	echo "guest: $name: obi ended with $?"
	tail -n 4 /out/$name.err
}

served() { # NAME PROCESS LOAD...: a server of /etc/servers, started and left running, and its load
	name=$1 process=$2
	shift 2
	eval "port=\$${name}_port; \$${name}_start >/out/$name.log 2>&1 &"
	waited "$name" listening "$port" || { tail /out/$name.log; return; }
	sleep 3
	traced "$name" "$(pidof $process | tr ' ' ,)" "$@"
}

inside() { # a server, its load and obi in a PID namespace of their own; /proc is that namespace's
	inside_port=16380
	inside_start="redis-server --port $inside_port --bind 127.0.0.1 --save '' --dir /tmp"
	served inside redis-server redis_load $inside_port "$operations" mixed
	echo "$(pidof redis-server) $load" >/out/inside.pids
	redis-cli -p $inside_port info commandstats >/out/inside.commandstats
	obi doctor -v >/out/inside.doctor 2>&1
}

[ "${1:-}" = inside ] || boot
. /etc/servers
operations=$(argument operations)
if [ "${1:-}" = inside ]; then
	inside
	exit
fi

echo "guest: $(uname -r)"
obi doctor -v >/out/doctor 2>&1
served nginx nginx http_load $nginx_port $operations 1 /out/own
kill -USR1 "$(cat $nginx_dir/pid)"
sleep 2
cp $nginx_dir/access.log /out/
served redis redis-server redis_load $redis_port $operations mixed
redis-cli -p $redis_port info commandstats >/out/commandstats
redis-cli -p $redis_port info errorstats >/out/errorstats
served postgres postgres pg_pipeline $postgres_port $operations /out/pg.own
sleep 1
cp $postgres_dir/log/pg.csv /out/
served mariadb mariadbd mysql_load $mariadb_port $operations /out/my.own
sleep 1
cp $mariadb_dir/general.log /out/
traced dns "" dns_pair 15353 "$operations" /out/dns.own
unshare -p -f --mount-proc /init inside
results
