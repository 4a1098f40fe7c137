#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# embed.sh - query files as C initialisers: { "name", "text" }, for each argument.
#
#   queries/embed.sh queries/*.sql > queries.inc
set -eu
for file; do
	awk -v name="$(basename "$file" .sql)" '
		BEGIN { printf "{ \"%s\",\n", name }
		{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); printf "  \"%s\\n\"\n", $0 }
		END { print "}," }
	' "$file"
done
