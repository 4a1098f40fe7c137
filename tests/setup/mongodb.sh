#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# mongodb.sh - a server of MongoDB's protocol for the tests, once; it stays in .cache/mongodb
#
# MongoDB itself is in no package registry; mongo-java-server speaks to its drivers.
# Prints that folder: lib/ has the jars, classes/ the server of tests/load/MongoServe.java.
#
# usage: mongodb.sh
set -eu
cd "$(dirname "$0")/../.."

version=1.47.0
folder=$PWD/.cache/mongodb
load=tests/load/MongoServe.java

tests/setup/servers.sh maven openjdk-17-jdk-headless >&2
mkdir -p "$folder"

if [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ]; then
	work=$(mktemp -d "$folder/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cat >"$work/pom.xml" <<-EOF
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>obi</groupId> <artifactId>mongodb</artifactId> <version>1</version>
		  <dependencies>
		    <dependency>
		      <groupId>de.bwaldvogel</groupId> <artifactId>mongo-java-server</artifactId> <version>$version</version>
		    </dependency>
		    <dependency>
		      <groupId>org.slf4j</groupId> <artifactId>slf4j-nop</artifactId> <version>2.0.16</version>
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
class=$folder/classes/MongoServe.class
if [ ! -e "$class" ] || [ "$(find "$load" -newer "$class")" ]; then
	mkdir -p "$folder/classes"
	javac -cp "$folder/lib/*" -d "$folder/classes" "$load" >&2
fi
echo "$folder"
