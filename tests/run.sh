#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - runs the test programs one after the other and says at the end how each went
#
# usage: run.sh check|check-all     from the root, after the build
#
# Where the variable CI is set, what cannot be run there has failed.
set -u

what=${1:-check}
failed=0
report=

skipped() {
	[ -z "${CI:-}" ] || failed=1
}

run() { # NAME COMMAND...
	name=$1
	shift
	start=$(date +%s)
	echo "== $name"
	"$@" </dev/null
	rc=$?
	secs=$(($(date +%s) - start))
	case $rc in
	0) result=ok ;;
	77)
		result=skipped
		skipped
		;;
	*) result="FAILED ($rc)" failed=1 ;;
	esac
	report="$report
  $name $result ${secs}s"
}

skip() { # NAME WHY
	echo "== $1: skipped, $2"
	report="$report
  $1 skipped: $2"
	skipped
}

run unit "${MAKE:-make}" check-unit
run replay "${MAKE:-make}" check-replay
run ui "${MAKE:-make}" check-ui
run otlp "${MAKE:-make}" check-otlp
if [ "$(id -u)" != 0 ]; then
	skip e2e "needs root"
else
	run examples tests/lint/examples.sh --live
	run e2e tests/e2e/run.sh
fi
if [ "$what" = check-all ]; then
	run collector tests/otlp/run.sh --collector
	run static tests/static/run.sh
	run fuzz env N=1000 T=1 sh tests/fuzz/run.sh scgi opts
fi
echo "== summary$report"
exit $failed
