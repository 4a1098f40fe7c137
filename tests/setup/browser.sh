#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# browser.sh - a browser for the tests of HTML pages; prints its path
#
# Installs Debian's chromium, as root. Exits 1 with a line on stderr where it
# cannot be had: those tests are skipped then, nothing else needs it.
set -eu

find_it() {
	for name in chromium chromium-browser google-chrome; do
		command -v "$name" && return 0
	done
	return 1
}

find_it && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	log=$(mktemp)
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium >"$log" 2>&1 ||
		tail -3 "$log" >&2
	rm -f "$log"
fi
find_it || { echo "browser.sh: no chromium, and it cannot be installed" >&2; exit 1; }
