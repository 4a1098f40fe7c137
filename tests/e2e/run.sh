#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - runs the end-to-end tests: real servers, real loads, a real kernel; needs root
#
# usage: run.sh [PYTEST-ARGUMENT...]     e.g. run.sh -k redis -x
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "run.sh: the end-to-end tests need root: sudo make check-e2e" >&2; exit 3; }
tests/setup/servers.sh
CLIENTS=$(tests/setup/clients.sh)
export CLIENTS
[ -n "${*:-}" ] || set -- -q --durations=8
case " $* " in
*tests/e2e/*) ;;
*) set -- "$@" tests/e2e ;;
esac
exec /usr/bin/python3 -B -m pytest -p no:cacheprovider -W error::pytest.PytestUnhandledThreadExceptionWarning \
	-rs --tb=short --rootdir=tests/e2e "$@"
