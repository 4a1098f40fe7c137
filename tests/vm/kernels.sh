#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# kernels.sh - fetches Debian kernels for the VM tests, once; they stay in .cache/kernels
#
# usage: kernels.sh VERSION ARCH     e.g. kernels.sh 5.10 amd64
#
# Prints the path of the kernel image. Packages are downloaded with a private
# list of sources and unpacked, never installed. Exit status 1, with the reason
# on stderr, where the kernel cannot be had.
set -eu
cd "$(dirname "$0")/../.."
version=$1 arch=$2
cache=$PWD/.cache/kernels
image=$cache/vmlinuz-$version-$arch
mkdir -p "$cache"
[ ! -s "$image" ] || { echo "$image"; exit 0; }

mirror=${DEBIAN_MIRROR:-http://deb.debian.org}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
case $version in
5.10) suites="debian-security bullseye-security" ;;
6.1) suites="debian bookworm" ;;
6.12) suites="debian bookworm-backports" ;;
*) echo "kernels.sh: no suite is known for kernel $version" >&2; exit 1 ;;
esac

work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
# shellcheck disable=SC2086
set -- $suites
echo "deb [arch=$arch signed-by=$keys] $mirror/$1 $2 main" >"$work/sources.list"

private() {
	program=$1
	shift
	"$program" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
		-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$work/lists" \
		-o Dir::State::status=/dev/null -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

cannot() {
	echo "kernels.sh: kernel $version for $arch cannot be had: $1" >&2
	exit 1
}

private apt-get update >"$work/log" 2>&1 || cannot "$(tail -1 "$work/log")"
package=$(private apt-cache search --names-only "^linux-image-$version\.[0-9.]*[-+].*cloud-$arch\$" |
	awk '{ print $1 }' | sort -V | tail -1)
[ -n "$package" ] || cannot "no package in ${2:-}"
(cd "$work" && private apt-get download "$package") >"$work/log" 2>&1 || cannot "$(tail -1 "$work/log")"
dpkg-deb -x "$work"/*.deb "$work/root"
cp "$work"/root/boot/vmlinuz-* "$image.new"
mv "$image.new" "$image"
echo "$image"
