#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cassandra.sh - Apache Cassandra for the tests, once; it stays in .cache/cassandra
#
# Prints that folder: lib/ has the jars.
#
# usage: cassandra.sh
set -eu
cd "$(dirname "$0")/../.."

version=5.0.4
folder=$PWD/.cache/cassandra

tests/setup/servers.sh maven openjdk-17-jdk-headless >&2
mkdir -p "$folder"
if [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ]; then
	work=$(mktemp -d "$folder/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cat >"$work/pom.xml" <<-EOF
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>obi</groupId> <artifactId>cassandra</artifactId> <version>1</version>
		  <dependencies>
		    <dependency>
		      <groupId>org.apache.cassandra</groupId> <artifactId>cassandra-all</artifactId>
		      <version>$version</version>
		    </dependency>
		  </dependencies>
		</project>
	EOF
	mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/lib" >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2; exit 1; }
	rm -rf "${folder:?}/lib"
	mv "$work/lib" "$folder/lib"
	echo "$version" >"$folder/version"
fi
echo "$folder"
