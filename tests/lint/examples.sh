#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# examples.sh - every example of the help, the man pages and the README works
#
# usage: examples.sh            those that read a recording are run, the others are parsed
#        examples.sh --live     as root: the others are run too, on a small server
set -eu

live=
[ "${1:-}" != --live ] || live=1
root=$PWD
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
mkdir "$tmp/bin"
ln -s "$root/obi" "$tmp/bin/obi"
export PATH="$tmp/bin:$PATH"

# The lines of help texts, and of code blocks in Markdown.
{
	obi help
	for cmd in $(obi help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p'); do
		[ "$cmd" = obi ] || [ "$cmd" = sudo ] || obi "$cmd" -h
	done
} >"$tmp/help"
sed -n 's/^  \(sudo \)\?\(obi .*\)/\2/p' "$tmp/help" | sed 's/   *[^ ].*$//' >"$tmp/lines"
for page in README.md CONTRIBUTING.md ARCHITECTURE.md; do
	[ ! -f "$page" ] || awk '/^```/ { inside = !inside; next } inside' "$page" |
		sed -n 's/^\(\$ \)\?\(sudo \)\?\(\.\/\)\?\(obi .*\)/\4/p' | sed 's/   *#.*$//' >>"$tmp/lines"
done
sed -n '/^\.SH EXAMPLES/,/^\.SH [^E]/s/^\.B \(obi .*\)/\1/p' man/*.1 |
	sed 's/\\-/-/g; s/\\(aq/'\''/g; s/\\(ga/`/g; s/\\e/\\/g' >>"$tmp/lines"
sort -u "$tmp/lines" -o "$tmp/lines"

# A recording to read.
cd "$tmp"
recording=$(find "$root/tests/golden" -name '*.obiraw' -o -name '*.otlp' | sort | head -1)
if [ -n "$recording" ]; then
	obi trace -q -r "$recording" -w run.otlp >/dev/null
else
	cat >run.otlp <<-'END'
	{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET","kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000"}]}]}]}
	END
fi
echo 'select count(*) from spans;' >script.sql

if [ "$live" ]; then
	python3 -m http.server --bind 127.0.0.1 0 >server.log 2>&1 &
	server=$!
	for _ in $(seq 50); do
		port=$(ss -Hltnp 2>/dev/null | sed -n "s/.*127.0.0.1:\([0-9]*\) .*pid=$server,.*/\1/p")
		[ -z "$port" ] || break
		sleep 0.1
	done
fi

run_live() { # LINE
	local line=${1//4242/$server}
	line=${line//http:\/\/localhost\//http:\/\/127.0.0.1:$port/}
	line=${line/-s URL/-s http:\/\/127.0.0.1:$port/}
	line=${line/10s/1s}
	line=${line/nginx\*/python*}
	(sleep 0.5; curl -s "http://127.0.0.1:$port/" >/dev/null) &
	case $line in
	*" -- "* | *doctor* | *" -d "*) timeout 20 bash -c "$line" ;;
	"obi sql"*) timeout --preserve-status -s INT -k 10 3 bash -c "exec $line" <script.sql ;;
	*) timeout -s INT -k 10 --preserve-status 3 bash -c "exec $line" ;;
	esac
}

bad=0 n=0
while read -r line; do
	n=$((n + 1))
	rc=0
	case $line in
	*"-r run.otlp"* | *protocols* | *completion* | *help* | "obi COMMAND"* | *" -h" | *" -V")
		bash -c "$line" >out 2>&1 </dev/null || rc=$? ;;
	*)
		if [ "$live" ]; then
			run_live "$line" >out 2>&1 </dev/null || rc=$?
		else
			OBI_PARSE_ONLY=1 bash -c "$line" >out 2>&1 </dev/null || rc=$?
		fi ;;
	esac
	if [ $rc != 0 ]; then
		echo "example fails with $rc: $line"
		head -5 out
		bad=1
	fi
done <"$tmp/lines"
echo "$n examples"
exit $bad
