#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - what can be said about the tree without running the program for real
#
# usage: tests/lint/run.sh     from the root, after the build; all checks run, exit 1 if one failed
# shellcheck disable=SC2317
set -u

failed=0
check() { # NAME COMMAND...
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		printf '  %-12s ok\n' "$name"
	else
		printf '  %-12s FAILED\n%s\n' "$name" "$out"
		failed=1
	fi
}

no_leftovers() { # marks of unfinished work
	! grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' --include='*.[ch]' --include='*.sh' --include='*.py' \
		--include='*.sql' --include='*.md' bpf src cmd ui queries tests ./*.md --exclude-dir=lint
}

licensed() { # every source file says its licence in its first three lines
	local f bad=0
	for f in $(git ls-files 'bpf/*.[ch]' 'src/*.[ch]' 'cmd/*.[ch]' 'ui/*.[ch]' 'tests/*.[ch]' '*.sh'); do
		[ -f "$f" ] || continue
		head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-' || { echo "$f: no SPDX line"; bad=1; }
	done
	return "$bad"
}

sizes() { # files of at most 500 lines, functions of at most 60; bpf files of at most 250
	git ls-files -co --exclude-standard -- 'bpf/*.[ch]' 'src/*.[ch]' 'cmd/*.[ch]' 'ui/*.[ch]' | xargs awk '
		FNR == 1 { if (last) end(); file = FILENAME; start = 0 }
		{ last = FNR }
		/^{/ { start = FNR }
		/^}/ && start {
			if (FNR - start - 1 > 60) { print FILENAME ":" start ": function of " FNR - start - 1 " lines"; bad = 1 }
			start = 0
		}
		function end() {
			limit = file ~ /^bpf\// ? 250 : 500
			if (last > limit) { print file ": " last " lines, more than " limit; bad = 1 }
		}
		END { end(); exit bad }'
}

scripts() {
	command -v shellcheck >/dev/null || return 0
	git ls-files -co --exclude-standard '*.sh' .ci/run | xargs shellcheck -S warning
}

python() {
	git ls-files -co --exclude-standard '*.py' | xargs -r python3 -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name).read(), name)'
}

check format make -s fmt-check
check layers sh tests/lint/layers.sh
check names sh tests/lint/names.sh .out/obj
check sizes sizes
check licences licensed
check leftovers no_leftovers
check help sh tests/lint/help_vs_man.sh
check examples bash tests/lint/examples.sh
check shell scripts
check python python
exit $failed
