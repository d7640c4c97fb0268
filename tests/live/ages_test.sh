#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A packet's age is its own: no line has another packet's time, whatever becomes of an skb between entry and stage.
. "$(dirname "$0")/lib.sh"

ages() { timeout 120 /usr/bin/python3 tests/live/ages.py "$ns0" "$ns1" "$@"; }

app_start() { netlog_start --events=latency --latency-stage=app --proto=tcp --netns="$ns1"; }

# young STAGE NOT-KNOWN: no line of a message is older than the sender's clock allows; and of all messages, those that
# have no line are lost and counted, at the most so many.
young() {
	local lines_are count
	netlog_stop
	check_books
	jq -nc --slurpfile bounds "$work/bounds" --arg stage "$1" '(reduce $bounds[] as $b ({};
			.["\($b.src_port)"] |= ([., $b.bound_ns] | max))) as $bound | inputs |
		select(.event_type == "latency" and .stage == $stage and .len_bytes > 0) | $bound["\(.src_port)"] as $b |
		select($b) | {src_port, latency_ns, bound: $b, tcp_ns, transport_ns}' "$lines" >"$work/told"
	jq -c 'select(([.latency_ns, .tcp_ns // 0, .transport_ns // 0] | max) > .bound)' "$work/told" >"$work/old"
	[ ! -s "$work/old" ] || fail "older than their packets: $(count <"$work/old"), as $(head -n 1 "$work/old")"
	lines_are=$(count <"$work/told") count=${3:-$(count <"$work/bounds")}
	echo "# $lines_are lines, $(missed latency) lost, of $count"
	[ $((lines_are + $(missed latency))) -ge "$count" ] || fail "$lines_are lines and $(missed latency) lost of $count"
	[ "$lines_are" -ge $((count - $2)) ] || fail "only $lines_are lines of $count"
}

test_a_message_in_a_syn_has_its_own_age_or_none() {
	wire_up
	nsenter --net="$ns0" sh -c 'echo 519 >/proc/sys/net/ipv4/tcp_fastopen' # without a cookie
	nsenter --net="$ns1" sh -c 'echo 519 >/proc/sys/net/ipv4/tcp_fastopen'
	app_start
	ages connections 100 fastopen >"$work/bounds" || fail "not sent"
	[ "$(nsenter --net="$ns1" nstat -asz TcpExtTCPFastOpenPassive | awk '/FastOpenPassive/ { print $2 }')" -ge 100 ] ||
		fail "no message was in a SYN"
	young app 110
}

# Behind the entry it is copied, or moved into another buffer, and what it was is freed.
test_a_packet_that_xdp_copies_has_its_own_age_or_none() {
	wire_up
	mkfifo "$work/end"
	ages xdp wire1 <"$work/end" >"$work/xdp" 2>&1 &
	exec 9>"$work/end"
	wait_for 10 grep -qs . "$work/xdp"
	grep -q ready "$work/xdp" || skip "no XDP: $(cat "$work/xdp")"
	app_start
	ages connections 50 >"$work/bounds" || fail "not sent"
	young app 100
	exec 9>&-
}

# Behind the entry it gets a buffer of its own, and the former one is soon another packet's.
test_a_packet_that_its_sender_still_owns_keeps_its_age() {
	wire_up
	app_start
	ages lent 100 >"$work/bounds" || fail "not sent"
	young app 2
}

test_packets_are_known_while_others_look_at_them() {
	wire_up
	nsenter --net="$ns1" /usr/bin/python3 -c 'import socket
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
print("ready", flush=True)
while True:
    tap.recv(65536)' >"$work/tap" &
	wait_for 10 grep -qs ready "$work/tap" || fail "no tap"
	app_start
	ages connections 50 >"$work/bounds" || fail "not sent"
	young app 5
}

test_packets_that_are_dropped_leave_nobody_their_age() {
	wire_up
	nsenter --net="$ns1" nft 'table inet t { chain in { type filter hook input priority 0;
		udp dport 9 drop; tcp dport != 9 meta length > 100 numgen inc mod 4 0 drop; }; }' || skip "no numgen"
	timeouts_are_short
	app_start
	ages flood 1000 >/dev/null
	ages connections 50 >"$work/bounds" || fail "not sent"
	young app 5
}

test_segments_of_udp_have_their_own_age_or_none() {
	wire_up
	nsenter --net="$ns1" nft 'table inet deaf { chain in { type filter hook input priority 0; udp dport { 9, 10 } drop; }; }'
	nsenter --net="$ns0" tc qdisc add dev wire0 root tbf rate 8kbit burst 2000 limit 2000
	netlog_start --events=latency --latency-stage=qdisc --dest-port=10 --netns="$ns0"
	for _ in 1 2 3; do
		ages flood 3000
	done
	nsenter --net="$ns0" tc qdisc del dev wire0 root
	sleep 1 # an older packet's age is more than any bound
	for _ in 1 2 3; do
		ages cut 100 10 || fail "not sent"
	done >"$work/bounds"
	young qdisc 3000 3000
}

# A device without scatter/gather: behind the queue the packet gets another buffer.
test_a_packet_that_is_made_linear_keeps_its_age() {
	wire_up
	ages linear wire0 2>"$work/linear" || skip "no ETHTOOL_SSG: $(tail -n 1 "$work/linear")"
	netlog_start --events=latency --latency-stage=qdisc --proto=tcp --netns="$ns0"
	ages connections 50 >"$work/bounds" || fail "not sent"
	young qdisc 5
}

run_tests
