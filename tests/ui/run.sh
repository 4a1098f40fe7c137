#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - the screens of the interface are what they were, by key scripts over recordings
#
# usage: tests/ui/run.sh [--update] [CASE...]     from the root, after the build
#
# A case is tests/ui/CASE.keys: its first lines say `# args: ARGS` (of obi, IN is
# the recording: shop.obiraw, or that of `# in: FILE`), the rest are keys; `:screen NAME<Enter>` takes a screen. It is
# run at three sizes, in UTF-8 and in ASCII without colour; what came out stands
# in tests/ui/golden. The figures on each screen are recomputed by check.py from
# the JSON of the same recording: where they disagree nothing is updated.
set -u

update=
[ "${1:-}" != --update ] || { update=1; shift; }
root=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ln -s "$root/tests/golden/shop-text/in.obiraw" "$tmp/shop.obiraw"
ln -s "$root/tests/ui/shop.otlp.zst" "$tmp"
bad=0 n=0

screens() { # CASE SIZE CHARSET -> text
	local locale=C.UTF-8 more=
	[ "$3" = utf8 ] || { locale=C more='--ascii --theme mono'; }
	rm -rf "$tmp/run"
	mkdir "$tmp/run"
	cd "$tmp/run" || exit 1
	ln -s ../shop.obiraw ../shop.otlp.zst .
	# shellcheck disable=SC2086
	env -i PATH="$PATH" HOME="$tmp" LC_ALL=$locale TZ=UTC COLUMNS="${2%x*}" LINES="${2#*x}" \
		OBI_UI_KEYS="$root/tests/ui/$1.keys" "$root/obi" ${args/IN/$in} $more -o tui -q \
		>"$tmp/out" 2>&1 || { cat "$tmp/out"; return 1; }
	rm shop.obiraw shop.otlp.zst
	for f in *; do
		[ -f "$f" ] || continue
		echo "== $f"
		cat "$f"
	done
	cd "$root" || exit 1
}

[ $# != 0 ] || set -- tests/ui/*.keys
for case in "$@"; do
	case=$(basename "$case" .keys)
	args=$(sed -n 's/^# args: //p' "tests/ui/$case.keys")
	in=$(sed -n 's/^# in: //p' "tests/ui/$case.keys")
	in=${in:-shop.obiraw}
	# shellcheck disable=SC2086
	rows=${args/IN/$tmp/$in}
	if [ "$rows" != "${rows#top }" ]; then
		rows="trace ${rows#top }"
		rows=${rows%% --*} # what is only for top
	fi
	# shellcheck disable=SC2086
	"$root/obi" $rows -q -o json >"$tmp/rows.json"
	for table in spans connections processes; do
		"$root/obi" sql -r "$tmp/$in" -q -o json "select * from $table" >"$tmp/$table.json"
	done
	for size in 80x24 100x30 200x50; do
		for charset in utf8 ascii; do
			n=$((n + 1))
			golden=tests/ui/golden/$case-$size-$charset
			screens "$case" $size $charset >"$tmp/new" || { bad=1; cd "$root" || exit 1; }
			if ! python3 tests/ui/check.py "$size" "$charset" "$tmp/rows.json" "$tmp/new" ||
				! python3 tests/ui/check_sheets.py "$tmp" "$tmp/new"; then
				echo "$golden: figures disagree with the recording"
				bad=1
			elif [ "$update" ]; then
				cp "$tmp/new" "$golden"
			elif ! cmp -s "$golden" "$tmp/new"; then
				echo "$golden: differs; tests/ui/run.sh --update after reading the difference"
				diff -u "$golden" "$tmp/new" | head -30
				bad=1
			fi
		done
	done
done
echo "$n screens compared"
if [ -z "$update" ] && [ -x .out/unit/ui_fuzz ]; then
	(cd "$tmp" && "$root/.out/unit/ui_fuzz" shop.obiraw "${KEYS:-6000}" 2>"$tmp/err") || {
		tail -30 "$tmp/err"
		bad=1
	}
fi
exit $bad
