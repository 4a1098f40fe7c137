#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# servers.sh - installs the servers, clients and load generators that the end-to-end tests trace
#
# Nothing is started and nothing is left enabled: a policy-rc.d that forbids
# starts is put in place if there is none (and taken away on every way out if
# it is still ours), PostgreSQL makes no cluster, and units that the packages
# enabled are disabled again. What was there before stays as it was.
#
# usage: servers.sh [PACKAGE...]     without names: all that the tests need
set -eu

packages=${*:-"
	apache2-utils curl libhiredis-dev libmariadb-dev libpq-dev liburing-dev procps python3-pytest tmux util-linux wrk
	clickhouse-client clickhouse-server
	dante-server
	dnsutils python3-dnspython unbound
	haproxy
	mariadb-client mariadb-server
	memcached python3-pylibmc
	mosquitto python3-paho-mqtt
	nats-server
	nghttp2-client nghttp2-proxy nghttp2-server
	nginx-light
	openssh-server
	php-fpm
	postfix python3-aiosmtpd
	postgresql postgresql-contrib
	redis-server redis-tools
	slapd python3-ldap
	uwsgi-core uwsgi-plugin-python3"}

missing=
for p in $packages; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $p"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "servers.sh: need root to install:$missing" >&2; exit 3; }

policy=${POLICY:-/usr/sbin/policy-rc.d} # POLICY: for the test of this script
mark="# put here by obi's tests, process $$"
cluster=/etc/postgresql-common/createcluster.conf
keep=$(mktemp -d)

enabled() {
	find /etc/systemd/system /etc/rc?.d -type l 2>/dev/null | sort
}

disable_new() {
	enabled >"$keep/after"
	comm -13 "$keep/before" "$keep/after" | while read -r link; do
		case $link in
		/etc/rc?.d/S*) update-rc.d "$(basename "$link" | sed 's/^S[0-9]*//')" disable ;;
		*.service | *.socket | *.timer | *.path | *.target)
			unit=$(basename "$(readlink "$link")")
			systemctl disable "$unit" || true
			rm -f "$link" ;;
		esac
	done >/dev/null 2>&1
}

restore() {
	trap - EXIT INT TERM HUP
	[ ! -f "$keep/before" ] || disable_new || true
	if [ -f "$keep/createcluster.conf" ]; then
		cp -p "$keep/createcluster.conf" "$cluster"
	fi
	if grep -qsxF "$mark" "$policy"; then
		rm -f "$policy"
	fi
	rm -rf "$keep"
}
trap 'restore' EXIT
trap 'restore; exit 130' INT
trap 'restore; exit 143' TERM
trap 'restore; exit 129' HUP

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Options::=--force-confold install --no-install-recommends "$@" >"$keep/log" 2>&1 ||
		{ cat "$keep/log" >&2; return 1; }
}

# One whose maker was killed without a way out is nobody's.
maker=$(sed -n "s/^# put here by obi's tests, process //p" "$policy" 2>/dev/null || true)
if [ -n "$maker" ] && ! kill -0 "$maker" 2>/dev/null; then
	rm -f "$policy"
fi
# noclobber: whoever creates the file first owns it
(set -C; printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy") 2>/dev/null && chmod 755 "$policy" || true
enabled >"$keep/before"

echo "installing:$missing"
apt-get -q -o DPkg::Lock::Timeout=600 update >"$keep/log" 2>&1 || cat "$keep/log" >&2
case " $missing " in
*" postgresql "*)
	apt postgresql-common
	cp -p "$cluster" "$keep/createcluster.conf"
	sed -i '/^[# ]*create_main_cluster/d' "$cluster"
	echo 'create_main_cluster = false' >>"$cluster" ;;
esac
# shellcheck disable=SC2086
apt $missing
