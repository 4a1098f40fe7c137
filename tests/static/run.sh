#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - the static program works where there is nothing but it, /proc and /sys
#
# usage: tests/static/run.sh     as root, from the root of the tree; 77: skipped
set -eu

if [ "$(id -u)" != 0 ]; then
	echo "static: needs root"
	exit 77
fi
if [ "${1:-}" != --inside ]; then
	${MAKE:-make} static
	exec unshare --mount --propagation private "$0" --inside
fi

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; umount -l "$dir/proc" "$dir/sys" 2>/dev/null; rm -rf --one-file-system "$dir"' EXIT
mkdir "$dir/proc" "$dir/sys" "$dir/www"
cp "${STATIC:-.out/static/obi}" "$dir/obi"
mount -t proc proc "$dir/proc"
mount --rbind /sys "$dir/sys"

if file "$dir/obi" | grep -q 'dynamically linked'; then
	echo "static: the program is dynamically linked"
	exit 1
fi
chroot "$dir" /obi -V
chroot "$dir" /obi protocols >/dev/null
chroot "$dir" /obi doctor | tail -1

python3 -u -m http.server --bind 127.0.0.1 --directory "$dir/www" 0 >"$dir/log" 2>&1 &
server=$!
port=
for _ in $(seq 50); do
	port=$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$dir/log" | head -1)
	[ -z "$port" ] || break
	sleep 0.1
done
(sleep 2; for _ in 1 2 3 4 5; do curl -s "http://127.0.0.1:$port/" >/dev/null; done) &
chroot "$dir" /obi trace -p "$server" -d 5s -o json >"$dir/out"
seen=$(grep -c '"kind":"server"' "$dir/out" || true)
echo "static: $seen of 5 requests seen from inside the chroot"
[ "$seen" = 5 ]
