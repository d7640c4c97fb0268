#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# demo.sh - netlog at work: two network namespaces joined by a wire with delay and loss, TCP over IPv4
# and IPv6 across it, netlog's lines of it, and what jq makes of them. `make demo` sets up and calls
# it. All it makes are processes and one directory in /tmp; the namespaces have no names and go with
# the wire.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/root.sh

if [ "$(id -u)" != 0 ]; then
	as_root "$0" "$@"
	exit
fi

build=build
work=$(mktemp -d) || exit 1

at_exit() {
	# all that was started here and still runs: a pid that has been waited for may be another's by now
	for pid in $(jobs -rp); do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
	echo "netlog demo: $*" >&2
	exit 1
}

# Until a command succeeds, ten seconds at most
wait_for() {
	for _ in $(seq 200); do
		"$@" && return 0
		sleep 0.05
	done
	return 1
}

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

$build/wire --delay-ms 5 --drop-every 20 >"$work/wire" 2>"$work/wire.log" &
wire=$!
wait_for grep -q ready "$work/wire" || fail "no wire: $(cat "$work/wire.log")"
client=/proc/$wire/fd/30
server=/proc/$wire/fd/31

# of these two namespaces only: this host may have very many other events
$build/netlog --quiet --duration=60 --output="file:$work/lines" --netns=$client --netns=$server \
	2>"$work/netlog.log" &
netlog=$!
wait_for grep -qs '"start"' "$work/lines" || {
	cat "$work/netlog.log" >&2
	exit 1
}

say "Two namespaces, a wire of 5 ms each way that drops every 20th packet of data, TCP across it ..."
for family in 4 6; do
	# in the background, since bash acts on a signal at once only while it waits
	timeout 20 $build/traffic --client $client --server $server --family $family \
		--bytes 60000 --messages 10 >"$work/truth.$family" &
	wait $! || fail "the traffic failed"
done
kill $netlog
wait $netlog || fail "netlog: $(cat "$work/netlog.log")"

say "One line of netlog for each kind of event:"
for kind in '.event_type == "retransmit"' '.event_type == "rtt"' '.event_type == "latency" and
	.stage == "tcp" and .len_bytes > 0' '.event_type == "latency" and .stage == "app"'; do
	jq -c "select($kind)" "$work/lines" | tail -n 1
done

say "How many of each, and the smoothed round-trip time in the middle (jq):"
jq -rs 'map(select(has("src_port"))) |
	(group_by(.event_type)[] | "\(.[0].event_type): \(length) lines"),
	"median srtt_us: \(map(select(.event_type == "rtt").srtt_us) | sort | .[length / 2 | floor])"' "$work/lines"

say "Segments sent again, by netlog and by the kernel's own TCP_INFO:"
for family in 4 6; do
	ports=$(jq -c 'select(.role == "client") | [.local_port, .remote_port]' "$work/truth.$family")
	told=$(jq -s "[.[] | select(.event_type == \"retransmit\" and [.src_port, .dest_port] == $ports) | .segs] | add // 0" "$work/lines")
	true=$(jq 'select(.role == "client") | .total_retrans' "$work/truth.$family")
	echo "IPv$family: netlog $told, TCP_INFO $true"
done

say "The last line, with the figures of the run:"
tail -n 1 "$work/lines"
