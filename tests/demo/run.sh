#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh - make demo: a small real system, traced
set -eu
cd "$(dirname "$0")/../.."

cat <<'SAY'
This demo
  - installs PostgreSQL, MariaDB, Redis and Python's drivers for them, if they are missing
    (no service is started or enabled, no database cluster is made),
  - builds ./obi,
  - starts a small shop on loopback ports, with its data in folders of its own under /tmp:
    an HTTP service in Python that asks PostgreSQL, MariaDB, Redis and another HTTP service.
    It has a slow query (/report), a failing route (/checkout) and a slow dependency (/shipping),
  - runs  ./obi top -p PID  on the service, until q (off a terminal: ./obi trace, for 10 s),
  - stops everything and removes the folders.

SAY
[ "$(id -u)" = 0 ] || { echo "It needs root: sudo make demo" >&2; exit 3; }
sh tests/setup/servers.sh postgresql postgresql-contrib mariadb-server mariadb-client redis-server \
	redis-tools python3-psycopg2 python3-pymysql python3-redis util-linux
make -s obi
exec /usr/bin/python3 -B tests/demo/system.py
