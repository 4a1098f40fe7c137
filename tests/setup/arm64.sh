#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# arm64.sh - what `make ARCH=arm64` needs: a cross compiler, and Debian's arm64 libraries in a folder
#
# usage: arm64.sh FOLDER     (.cache/arm64); the system's own packages are not mixed with them
set -eu

dest=${1:-.cache/arm64}
packages="libbpf-dev libbpf1 libelf-dev libelf1 zlib1g-dev zlib1g libzstd-dev libzstd1
	libsqlite3-dev libsqlite3-0 libevent-dev libevent-core-2.1-7 libevent-extra-2.1-7
	libevent-openssl-2.1-7 libssl-dev libssl3 libreadline-dev libreadline8 libncurses-dev
	libncursesw6 libtinfo6"
[ "$(cat "$dest/complete" 2>/dev/null)" != "$packages" ] || exit 0
if ! command -v aarch64-linux-gnu-gcc >/dev/null; then
	[ "$(id -u)" = 0 ] || { echo "arm64.sh: needs gcc-aarch64-linux-gnu; run as root" >&2; exit 3; }
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 install \
		--no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross </dev/null >/dev/null
fi

mkdir -p "$dest"
dest=$(cd "$dest" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,debs}
: >"$work/status"
apt() {
	apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
		-o Dir::State::Lists="$work/lists" -o Dir::State::Status="$work/status" \
		-o Dir::Cache="$work/cache" -o Acquire::Languages=none "$@" </dev/null >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; return 1; }
}
apt update
cd "$work/debs"
# shellcheck disable=SC2086
apt download $packages
for deb in *.deb; do
	dpkg-deb -x "$deb" "$dest"
done
# links that point into the root of the system that they come from
find "$dest" -type l -lname '/*' | while read -r link; do
	ln -sfr "$dest$(readlink "$link")" "$link"
done
printf '%s\n' "$packages" >"$dest/complete"
