#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2187 # it is the shell of busybox
# boot.sh - what every guest begins with: its file systems, the network, two functions
export PATH=/bin:/usr/bin:/usr/sbin

boot() { # as init, before anything else
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
}

waited() { # WHAT COMMAND...: until it is true, 300 s at most
	what=$1 n=0
	shift
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt 600 ] || { echo "guest: $what never came"; return 1; }
		usleep 200000
	done
}

listening() { # PORT
	grep -q ":$(printf %04X "$1") [0-9A-F:]* 0A " /proc/net/tcp
}

argument() { # NAME: its number on the kernel's command line
	sed -n "s/.*$1=\([0-9]*\).*/\1/p" /proc/cmdline
}

results() { # out through the second serial port; then off
	stty -F /dev/ttyS1 raw -echo
	tar cz -C /out . >/dev/ttyS1
	sync
	sleep 2
	echo "guest: done"
	poweroff -f
}
