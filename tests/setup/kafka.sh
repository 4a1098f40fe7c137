#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# kafka.sh - Apache Kafka's broker and clients for the tests, once; they stay in .cache/kafka
#
# Prints that folder: lib/ has the jars, classes/ the load of tests/load/KafkaLoad.java.
#
# usage: kafka.sh
set -eu
cd "$(dirname "$0")/../.."

version=3.9.1
folder=$PWD/.cache/kafka
load=tests/load/KafkaLoad.java

tests/setup/servers.sh kcat maven openjdk-17-jdk-headless >&2
mkdir -p "$folder"

if [ "$(cat "$folder/version" 2>/dev/null)" != "$version" ]; then
	work=$(mktemp -d "$folder/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	cat >"$work/pom.xml" <<-EOF
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>obi</groupId> <artifactId>kafka</artifactId> <version>1</version>
		  <dependencies>
		    <dependency>
		      <groupId>org.apache.kafka</groupId> <artifactId>kafka_2.13</artifactId> <version>$version</version>
		    </dependency>
		    <dependency>
		      <groupId>org.apache.kafka</groupId> <artifactId>kafka-tools</artifactId> <version>$version</version>
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
class=$folder/classes/KafkaLoad.class
if [ ! -e "$class" ] || [ "$(find "$load" -newer "$class")" ]; then
	mkdir -p "$folder/classes"
	javac -cp "$folder/lib/*" -d "$folder/classes" "$load" >&2
fi
echo "$folder"
