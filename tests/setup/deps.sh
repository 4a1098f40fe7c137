#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# deps.sh - installs what the build and the tests need (Debian 12 and later)
#
# usage: deps.sh           install what is missing, as root
#        deps.sh --check   say what is missing for the build, install nothing
#
# Nothing is started, and nothing is upgraded that is there already.
set -eu

build="gcc make clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libzstd-dev
	libsqlite3-dev libevent-dev libssl-dev libreadline-dev libncurses-dev pkg-config"
tests="check libsubunit-dev libjansson-dev clang-format shellcheck python3 python3-venv python3-protobuf
	curl openssl sqlite3 zstd gzip file binutils man-db"

# A header or a tool for each thing that the build uses: works on any distribution.
missing_build() {
	# shellcheck disable=SC2086
	set -- ${CC:-gcc} ${SYSINC:-} -E -x c -
	for h in bpf/libbpf.h gelf.h zlib.h zstd.h sqlite3.h event2/event.h openssl/ssl.h ncurses.h; do
		printf '#include <%s>\n' "$h" | "$@" >/dev/null 2>&1 || echo "<$h>"
	done
	printf '#include <stdio.h>\n#include <readline/readline.h>\n' | "$@" >/dev/null 2>&1 ||
		echo '<readline/readline.h>'
	for t in "${CC:-gcc}" "${CLANG:-clang}" "${BPFTOOL:-bpftool}"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "${t%% *}" >/dev/null || echo "$t"
	done
}

if [ "${1:-}" = --check ]; then
	missing=$(missing_build | tr '\n' ' ')
	[ -n "$missing" ] || exit 0
	echo "obi: the build lacks: $missing" >&2
	echo "  run:  sudo make deps    (installs Debian packages)" >&2
	exit 1
fi

missing=
for p in $build $tests; do
	dpkg-query -W -f='${Status}\n' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
	echo "deps.sh: no apt-get here; install the equivalents of:$missing" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "deps.sh: needs root to install:$missing" >&2
	echo "  run:  sudo make deps" >&2
	exit 3
fi

policy=/usr/sbin/policy-rc.d
mark="# put here by obi's build, process $$"
log=$(mktemp)
restore() {
	trap - EXIT INT TERM HUP
	if grep -qsxF "$mark" "$policy"; then
		rm -f "$policy"
	fi
	rm -f "$log"
}
trap 'restore' EXIT
trap 'restore; exit 130' INT
trap 'restore; exit 143' TERM
trap 'restore; exit 129' HUP

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" \
		</dev/null >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

# noclobber: whoever creates the file first owns it
if (set -C; printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy") 2>/dev/null; then
	chmod 755 "$policy"
fi
echo "installing:$missing"
apt update || true
# shellcheck disable=SC2086
apt install --no-install-recommends $missing
