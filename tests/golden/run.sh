#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - recordings give the same output as before
#
# usage: tests/golden/run.sh [--update] [CASE...]     from the root, after the build
#
# A case is a folder with a recording in.* , `cmd` (a command line of obi in
# which IN stands for the recording) and `out` (what it printed, byte for byte).
# --update rewrites `out`; the diff is for a human to read.
set -u

update=
[ "${1:-}" != --update ] || { update=1; shift; }
obi=$PWD/obi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0 n=0

# no privileges, no kernel: whatever the machine
run_case() { # FOLDER
	local in line
	in=$(find "$1" -name 'in.*' | head -1)
	line=$(head -1 "$1/cmd")
	(cd "$tmp" && env -i PATH="$PATH" LC_ALL=C.UTF-8 TZ=UTC bash -c "${line//IN/$in}") 2>"$tmp/err" |
		sed "s|$in|IN|g"
}

mkdir "$tmp/bin"
ln -s "$obi" "$tmp/bin/obi"
PATH=$tmp/bin:$PATH
[ $# != 0 ] || set -- tests/golden/*/
for dir in "$@"; do
	dir=${dir%/}
	[ -f "$dir/cmd" ] || continue
	n=$((n + 1))
	run_case "$PWD/$dir" >"$tmp/out"
	case $dir in
	*-json) /usr/bin/python3 -B tests/golden/once.py "$tmp/out" || bad=1 ;;
	esac
	if [ "$update" ]; then
		cp "$tmp/out" "$dir/out"
	elif ! cmp -s "$tmp/out" "$dir/out"; then
		echo "$dir: differs"
		diff -u "$dir/out" "$tmp/out" | head -20
		cat "$tmp/err"
		bad=1
	fi
done
echo "$n recordings replayed"
exit $bad
