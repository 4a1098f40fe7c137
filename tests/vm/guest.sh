#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2154,SC2187 # the ports come from /etc/servers
# guest.sh - /init of the VM: every server under its load, traced; then the results, then off
export PATH=/bin:/usr/bin:/usr/sbin

waited() { # WHAT COMMAND...: until it is true, 300 s at most
	what=$1 n=0
	shift
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt 600 ] || { echo "guest: $what never came"; return 1; }
		usleep 200000
	done
}

alone() { # NAME LOAD...: a load that is its own server
	name=$1
	shift
	rm -f /tmp/gate
	mkfifo /tmp/gate
	(read -r _ </tmp/gate; exec "$@" >>/out/$name.load 2>&1) &
	load=$!
	obi trace --show-secrets -o json -p $load >/out/$name.json 2>/out/$name.err &
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

/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /dev/shm /sys/fs/bpf
mount -t tmpfs none /dev/shm
mount -t tracefs none /sys/kernel/tracing
mount -t bpf none /sys/fs/bpf
ip link set lo up
hostname vm
mkdir -p /out
. /etc/servers
operations=$(sed -n 's/.*operations=\([0-9]*\).*/\1/p' /proc/cmdline)

listening() { # PORT
	grep -q ":$(printf %04X "$1") [0-9A-F:]* 0A " /proc/net/tcp
}

traced() { # NAME PROCESS LOAD...
	name=$1 process=$2
	shift 2
	eval "port=\$${name}_port; \$${name}_start >/out/$name.log 2>&1 &"
	waited "$name" listening "$port" || { tail /out/$name.log; return; }
	sleep 3
	rm -f /tmp/gate
	mkfifo /tmp/gate
	(read -r _ </tmp/gate; exec "$@" >>/out/$name.load 2>&1) &
	load=$!
	obi trace --show-secrets -o json -p "$(pidof $process | tr ' ' ,),$load" >/out/$name.json 2>/out/$name.err &
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

echo "guest: $(uname -r)"
obi doctor >/out/doctor 2>&1
traced nginx nginx http_load $nginx_port $operations 1 /out/own
kill -USR1 "$(cat $nginx_dir/pid)"
sleep 2
cp $nginx_dir/access.log /out/
traced redis redis-server redis_load $redis_port $operations mixed
redis-cli -p $redis_port info commandstats >/out/commandstats
redis-cli -p $redis_port info errorstats >/out/errorstats
traced postgres postgres pg_pipeline $postgres_port $operations /out/pg.own
sleep 1
cp $postgres_dir/log/pg.csv /out/
traced mariadb mariadbd mysql_load $mariadb_port $operations /out/my.own
sleep 1
cp $mariadb_dir/general.log /out/
alone dns dns_pair 15353 "$operations" /out/dns.own
stty -F /dev/ttyS1 raw -echo
tar cz -C /out . >/dev/ttyS1
sync
sleep 2
echo "guest: done"
poweroff -f
