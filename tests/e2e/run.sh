#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - runs the end-to-end tests: real servers, real loads, a real kernel; needs root
#
# Where the whole suite runs and at most three tests fail, those are run once
# more by themselves: a machine that is shared may have been too busy for a load.
# What passes only then is named at the end; what fails twice has failed.
#
# usage: run.sh [PYTEST-ARGUMENT...]     e.g. run.sh -k redis -x
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "run.sh: the end-to-end tests need root: sudo make check-e2e" >&2; exit 3; }
tests/setup/servers.sh
CLIENTS=$(tests/setup/clients.sh)
export CLIENTS

again=
if [ -z "${*:-}" ]; then
	again=1
	set -- -q --durations=8
fi
case " $* " in
*tests/e2e/*) ;;
*) set -- "$@" tests/e2e ;;
esac

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Prints what pytest says, keeps it in $log; its exit status.
try() {
	{
		rc=0
		/usr/bin/python3 -B -m pytest -p no:cacheprovider --tb=short --rootdir=tests/e2e -rsfE \
			-W error::pytest.PytestUnhandledThreadExceptionWarning "$@" || rc=$?
		echo "$rc" >"$log.rc"
	} | tee "$log"
	rc=$(cat "$log.rc")
	rm -f "$log.rc"
	return "$rc"
}

try "$@" && exit 0 || status=$?
failed=$(sed -n 's/^FAILED //p; s/^ERROR //p' "$log" | sed 's/ - .*//' | sort -u)
if [ "$status" != 1 ] || [ -z "$again" ] || [ -z "$failed" ] || [ "$(echo "$failed" | wc -l)" -gt 3 ]; then
	exit "$status"
fi
set --
while read -r id; do
	set -- "$@" "tests/e2e/${id#tests/e2e/}"
done <<IDS
$failed
IDS
echo "== once more: $failed"
try -q "$@" || exit $?
echo "== passed only at the second try: $failed"
