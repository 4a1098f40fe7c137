#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# peers.sh - obi beside other tracers in one VM, one boot: what each costs and what each shows
#
# Run by hand. Phases of one client of nginx take turns: no tracer, obi, no tracer, a peer,
# no tracer ... Each tracer writes every request to a file. There is one processor: what a
# tracer uses is missing to the server. Peers that are not named are left out.
#
# usage: peers.sh [PROGRAM...]
#   PROGRAM  ebpf-instrument (OpenTelemetry eBPF Instrumentation) or kyanos, as built by you;
#            recognised by the name of the file
#   REQUESTS=4000 ROUNDS=3 KERNEL=6.12 in the environment; KEEP=DIR keeps what all have said;
#   EACH=1 makes a new connection after so many requests, else there is one;
#   ICOUNT=0 lets the guest's clock count instructions (1 ns each): the same on a busy host
#
# exit status 1: obi under 0.75 of the rate without a tracer, or a request not shown
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo "peers.sh: the image needs root to be made" >&2; exit 3; }
for p in "$@"; do
	case $(basename "$p") in
	ebpf-instrument | kyanos) [ -x "$p" ] && continue ;;
	esac
	echo "peers.sh: $p is not a program named ebpf-instrument or kyanos" >&2
	exit 2
done
requests=${REQUESTS:-4000} rounds=${ROUNDS:-3}
kernel=$(tests/vm/kernels.sh "${KERNEL:-6.12}" amd64)
work=$(mktemp -d)
vm=
trap '[ -z "$vm" ] || kill $vm 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
obi=./obi
[ ! -x .out/static/obi ] || obi=.out/static/obi
/usr/bin/python3 -B tests/vm/image.py $obi "$work/image" peers_guest.sh "$@"
timeout 3000 qemu-system-x86_64 -accel tcg -cpu max,-cx16 -smp 1 -m 6G -display none -no-reboot \
	${ICOUNT:+-icount "shift=$ICOUNT,sleep=off"} -nic none -kernel "$kernel" -initrd "$work/image" \
	-append "console=ttyS0 quiet panic=-1 requests=$requests rounds=$rounds each=${EACH:-$requests}" \
	-serial "file:$work/console" -serial "file:$work/results" </dev/null &
vm=$!
wait $vm || true
vm=
mkdir "$work/out"
tar xz -C "$work/out" -f "$work/results" 2>/dev/null || { tail -20 "$work/console"; exit 1; }
if [ -n "${KEEP:-}" ]; then mkdir -p "$KEEP" && cp -r "$work/out/." "$KEEP"; fi
awk '
{ name[NR] = $1; qps[NR] = $2; rest[NR] = $0; sub(/^[^ ]* [^ ]* /, "", rest[NR]) }
END {
	printf "%-16s %6s %6s %7s %6s %6s %7s %6s %15s %15s\n", "tracer", "QPS", "ratio", "p50 us",
		"shown", "sent", "first s", "CPU ms", "KiB (anon)", "after"
	for (i = 1; i <= NR; i++) {
		ratio = name[i] == "base" ? 1 : qps[i] / ((qps[i - 1] + qps[i + 1]) / 2)
		split(rest[i], r, " ")
		printf "%-16s %6d %6.2f %7d %6s %6s %7s %6s %15s %15s\n", name[i], qps[i], ratio, r[1],
			r[2], r[3], r[4], r[5], r[6], r[7]
		if (name[i] == "obi") {
			n++
			sum += ratio
			lost += r[3] - r[2]
		}
	}
	printf "obi: %.2f of the rate without a tracer, %d requests not shown\n", sum / n, lost
	exit !(sum / n >= 0.75 && !lost)
}' "$work/out/table"
