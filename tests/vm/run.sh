#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - make check-vm: obi on other kernels, in qemu without hardware help
#
# Four servers and DNS over UDP under 1,000 operations each on 5.10, 6.1 and 6.12, compared
# with their own accounts, one more server in a PID namespace of its own; one HTTP request on
# arm64. Kernels are downloaded once; one that cannot be had is skipped with a message.
#
# usage: run.sh [VERSION...]     e.g. run.sh 5.10 arm64
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "run.sh: the image needs root to be made: sudo make check-vm" >&2; exit 3; }
operations=${OPERATIONS:-1000}
versions=${*:-5.10 6.1 6.12 arm64}
tests/setup/servers.sh
tests/setup/servers.sh qemu-system-x86 qemu-system-arm busybox-static cpio gzip
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

program() { # the static program where it is built: it needs nothing of the image
	if [ -x .out/static/obi ]; then echo .out/static/obi; else echo ./obi; fi
}

amd64() {
	local version=$1 kernel out=$work/$1
	kernel=$(tests/vm/kernels.sh "$version" amd64) || return 77
	[ -s "$work/image" ] || /usr/bin/python3 -B tests/vm/image.py "$(program)" "$work/image"
	mkdir -p "$out"
	timeout 1500 qemu-system-x86_64 -accel tcg -cpu max,-cx16 -smp 1 -m 4G -display none -no-reboot \
		-nic none -kernel "$kernel" -initrd "$work/image" \
		-append "console=ttyS0 quiet panic=-1 operations=$operations" \
		-serial "file:$out/console" -serial "file:$out/results" </dev/null || true
	grep -a '^guest:' "$out/console" | tr -d '\r' | sed 's/^/  /'
	tar xz -C "$out" -f "$out/results" 2>/dev/null || { tail -20 "$out/console"; return 1; }
	if [ -n "${KEEP:-}" ]; then rm -rf "${KEEP:?}/$version"; mkdir -p "$KEEP"; cp -r "$out" "$KEEP/$version"; fi
	/usr/bin/python3 -B tests/vm/check.py "$out" "$operations"
}

for v in $versions; do
	echo "kernel $v:"
	status=0
	if [ "$v" = arm64 ]; then
		bash tests/vm/arm64.sh "$work" || status=$?
	else
		amd64 "$v" || status=$?
	fi
	case $status in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)); echo "  skipped: it cannot be had here" ;;
	*) failed=$((failed + 1)) ;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
