#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# arm64.sh - one HTTP request, traced on arm64 (kernel 6.1, in qemu)
#
# usage: arm64.sh WORK-FOLDER     exit status 77: the kernel or busybox cannot be had
set -eu
cd "$(dirname "$0")/../.."
work=$1
cache=$PWD/.cache/arm64-busybox
kernel=$(tests/vm/kernels.sh 6.1 arm64) || exit 77
bash tests/setup/arm64.sh .cache/arm64
make -s ARCH=arm64 static >/dev/null

busybox() { # Debian's static one, by the same private list of sources as the kernels
	[ ! -x "$cache/busybox" ] || return 0
	local d
	d=$(mktemp -d "$work/apt.XXXXXX")
	mkdir -p "$d/lists/partial" "$d/cache/archives/partial" "$cache"
	echo "deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"${DEBIAN_MIRROR:-http://deb.debian.org}/debian bookworm main" >"$d/sources.list"
	local options=(-q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::Etc::sourcelist="$d/sources.list"
		-o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists="$d/lists" -o Dir::State::status=/dev/null
		-o Dir::Cache="$d/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
	apt-get "${options[@]}" update >"$d/log" 2>&1 && (cd "$d" && apt-get "${options[@]}" download busybox-static) \
		>>"$d/log" 2>&1 || { tail -1 "$d/log" >&2; return 1; }
	dpkg-deb -x "$d"/*.deb "$d/root"
	cp "$d/root/bin/busybox" "$cache/busybox"
}
busybox || exit 77

root=$work/arm64
mkdir -p "$root"/{bin,proc,sys,dev,tmp,www,out}
cp "$cache/busybox" .out/arm64/static/obi "$root/bin/"
echo hello >"$root/www/hello"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /sys/kernel/tracing
mount -t tracefs none /sys/kernel/tracing
ip link set lo up
echo "guest: $(uname -rm)"
httpd -f -p 127.0.0.1:8080 -h /www &
server=$!
obi trace -o json -p $server >/out/rows 2>/out/err &
obi=$!
n=0
until grep -q 'obi: attached' /out/err || [ $n = 300 ]; do n=$((n + 1)); usleep 200000; done
wget -q -O /out/got http://127.0.0.1:8080/hello
sleep 1
kill -INT $obi
wait $obi
echo "guest: obi ended with $?"
sed 's/^/guest: /' /out/err
sed 's/^/ROW /' /out/rows
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/arm64.gz"
timeout 600 qemu-system-aarch64 -M virt -cpu cortex-a57 -accel tcg -m 1G -display none -no-reboot -nic none \
	-kernel "$kernel" -initrd "$work/arm64.gz" -append "console=ttyAMA0 quiet panic=-1" \
	-serial "file:$work/arm64.console" </dev/null || true
tr -d '\r' <"$work/arm64.console" | grep -a '^guest:' | sed 's/^/  /'
tr -d '\r' <"$work/arm64.console" | grep -a '^ROW ' >"$work/arm64.rows" || true
if [ "$(grep -c '"op":"GET","target":"/hello","status":"200"' "$work/arm64.rows")" = 1 ]; then
	echo "  one HTTP request: seen once, with its status"
else
	cat "$work/arm64.rows"
	tail -5 "$work/arm64.console"
	exit 1
fi
