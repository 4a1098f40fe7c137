#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# clients.sh - Python clients that Debian does not have, in a virtual environment of the project's
#
# Prints the path of its python. What is installed already is left alone, so a
# second call costs nothing; a change of the list below installs anew.
#
# usage: clients.sh
set -eu
cd "$(dirname "$0")/../.."

packages="grpcio==1.85.1 h2==4.4.1 httpx==0.28.1 nats-py==2.9.0 pika==1.4.4 pymongo==4.10.1 aiohttp==3.14.5 websockets==17.4 cassandra-driver==3.30.1 clickhouse-driver[lz4,zstd]==0.2.11 moto[server,s3,sqs,sns,dynamodb,ssm]==5.2.1 boto3==1.43.11 mcp==2.3.0 gql==4.4.0 ariadne==1.1.1 hypercorn==0.18.0 jsonrpclib-pelix==1.2.0 opensearch-py==3.2.0 aiochclient==2.7.0 pysqlbridge==2.1.3 python-tds==1.17.1 pyOpenSSL==26.4.0 pymssql==2.4.6"

folder=${OUT:-$PWD/.out}/clients
[ -x "$folder/bin/python" ] || python3 -m venv "$folder" >&2
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$packages" ]; then
	# shellcheck disable=SC2086 # a list of words
	"$folder/bin/pip" install -q --disable-pip-version-check --retries 5 $packages >&2
	echo "$packages" >"$folder/installed"
fi
echo "$folder/bin/python"
