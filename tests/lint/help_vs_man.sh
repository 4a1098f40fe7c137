#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# help_vs_man.sh - man pages and completion scripts say what the tables of commands and flags say
#
# usage: help_vs_man.sh [--update]     from the root, after the build
#
# SYNOPSIS, OPTIONS and EXAMPLES of man/obi-CMD.1, PROTOCOLS of man/obi.1, and
# completions/, are made from the program; here they are compared, with --update rewritten. Help on one
# screen is one screen, and nothing is wider than 80 columns.
set -eu

obi=${OBI:-./obi}
bad=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

compare() { # FILE NEW
	if [ "${1#completions/}" != "$1" ] && [ ! -f "$1" ]; then
		: >"$1"
	fi
	cmp -s "$1" "$2" && return 0
	if [ "$update" ]; then
		cp "$2" "$1"
		echo "updated $1"
	else
		echo "$1: not what the program says; run tests/lint/help_vs_man.sh --update"
		diff -u "$1" "$2" | head -20
		bad=1
	fi
}

update=
[ "${1:-}" != --update ] || update=1

for cmd in trace top sql report doctor; do
	page=man/obi-$cmd.1
	"$obi" help man $cmd >"$tmp/sections"
	awk 'FNR == NR { if (/^\.SH /) name = $2; text[name] = text[name] $0 "\n"; next }
	     /^\.SH / { inside = $2 in text; if (inside) printf "%s", text[$2] }
	     !inside' "$tmp/sections" "$page" >"$tmp/page"
	for section in SYNOPSIS OPTIONS EXAMPLES OVERHEAD "EXIT STATUS"; do
		grep -q "^\.SH $section" "$page" || { echo "$page: no section $section"; bad=1; }
	done
	compare "$page" "$tmp/page"
done

# Every protocol, by its title; and those that were not tried against programs of others.
"$obi" protocols | awk '
	function flush() { if (words != "") print (first ? "Untested: " words "." : words); words = "" }
	/^[^ ]/ { flush(); first = 0; print ".TP\n.B " $1; $1 = ""; sub(/^ /, ""); print; next }
	/^  untested / { first = 1; sub(/^  untested +/, ""); words = $0; next }
	/^           / && first { sub(/^ +/, ""); words = words " " $0; next }
	{ flush(); first = 0 }
	END { flush() }' >"$tmp/list"
awk -v list="$tmp/list" '
	/^\.SH / { inside = /^\.SH PROTOCOLS/; if (inside) { print; while ((getline line < list) > 0) print line } }
	!inside' man/obi.1 >"$tmp/page"
grep -q '^\.SH PROTOCOLS' man/obi.1 || { echo "man/obi.1: no section PROTOCOLS"; bad=1; }
compare man/obi.1 "$tmp/page"

for shell in bash:obi.bash zsh:_obi fish:obi.fish; do
	"$obi" completion "${shell%%:*}" >"$tmp/script"
	compare "completions/${shell#*:}" "$tmp/script"
done
bash -n completions/obi.bash || bad=1
if command -v zsh >/dev/null; then zsh -n completions/_obi || bad=1; fi
if command -v fish >/dev/null; then fish -n completions/obi.fish || bad=1; fi

for cmd in $("$obi" help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' | grep -v '^obi$\|^sudo$'); do
	"$obi" "$cmd" -h >"$tmp/help"
	[ "$(wc -l <"$tmp/help")" -le 24 ] || { echo "obi $cmd -h: more than 24 lines"; bad=1; }
	"$obi" "$cmd" --help >>"$tmp/help"
	awk -v c="$cmd" 'length > 80 { print "obi " c " help: wider than 80 columns: " $0; bad = 1 }
		END { exit bad }' "$tmp/help" || bad=1
	grep -q "B $cmd\\|obi\\\\-$cmd" man/obi.1 || { echo "man/obi.1: does not name $cmd"; bad=1; }
done

# Every ready query is in the man page.
for recipe in $(XDG_CONFIG_HOME=$tmp "$obi" sql --recipe help | sed 's/ .*//'); do
	grep -q "^\.B $recipe\$" man/obi-sql.1 || { echo "man/obi-sql.1: does not name the query $recipe"; bad=1; }
done

# Pages have no errors of layout, where a formatter is there.
if command -v man >/dev/null && command -v groff >/dev/null; then
	for page in man/*.1; do
		LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" \
			2>"$tmp/warnings" >/dev/null || true
		if [ -s "$tmp/warnings" ]; then
			echo "$page:"
			cat "$tmp/warnings"
			bad=1
		fi
	done
fi
exit $bad
