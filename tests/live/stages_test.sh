#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Latency: the stages' times fit each other, and those of packets that leave fit the queue's rate.
. "$(dirname "$0")/lib.sh"

# Is a stage's part served here? A host that allows tracepoints only has no stage transport.
part_served() {
	jq -es --arg part "$1" 'any(.[0].hooks[]; .part == $part and (has("error") | not))' "$lines" >/dev/null
}

# counted NAMESPACE RULE: how many packets fitted, by the kernel's own counter, from now on
counter_add() {
	nsenter --net="$1" nft -f - <<-END || fail "no nft: $2"
		table inet truth {
			counter seen {}
			chain out {
				type filter hook output priority 300;
				$2 counter name seen
			}
		}
	END
}

counted() {
	nsenter --net="$1" nft -j list counter inet truth seen | jq '.nftables[] | .counter // empty | .packets'
}

test_a_later_line_has_the_earlier_stages_times() {
	wire_up
	netlog_start --events=latency
	traffic --messages 100 --bytes 100 --reply 100
	netlog_stop
	for role in client server; do
		events latency $role 'select(.direction == "ingress" and .len_bytes > 0)' |
			jq -cs 'group_by(.tcp_seq)[] | map({(.stage): .}) | add' >"$work/packets"
		equal "of $role, lines whose tcp_ns is not the time at stage tcp" "$(jq -c \
			'select(.tcp and .app and .app.tcp_ns != .tcp.latency_ns)' "$work/packets")" ""
		equal "of $role, times that run backwards" "$(jq -c 'select(.app) | .app |
			select((.transport_ns // 1) <= 0 or (.transport_ns // 0) > (.tcp_ns // .latency_ns) or
				(.tcp_ns // 0) > .latency_ns)' "$work/packets")" ""
		at_least "of $role, lines with tcp_ns" \
			"$(jq -c 'select(.app.tcp_ns)' "$work/packets" | count)" 99 100
		part_served transport_tcp || continue
		equal "of $role, lines whose transport_ns is not the time at stage transport" "$(jq -c \
			'select(.transport and .tcp and .tcp.transport_ns != .transport.latency_ns)' "$work/packets")" ""
		at_least "of $role, lines with transport_ns" \
			"$(jq -c 'select(.app.transport_ns)' "$work/packets" | count)" 99 100
	done
}

# The only line of a message is that of its last stage, and it has the times of the stages before, too.
test_stage_app_alone_still_has_the_time_at_tcp() {
	wire_up
	netlog_start --events=latency --latency-stage=app
	traffic --messages 50 --bytes 100
	netlog_stop
	check_books
	equal "stages" "$(jq -r 'select(.event_type == "latency") | .stage' "$lines" | sort -u)" app
	at_least "lines with tcp_ns" "$(events latency server 'select(.tcp_ns)' | count)" 98 50
}

# A line for each packet that leaves uncut and unmerged; nft counts them before the queue.
test_every_packet_out_is_a_line_over_ipv4_and_ipv6() {
	for family in 4 6; do
		wire_up
		counter_add "$ns0" "meta l4proto tcp"
		witness_start
		netlog_start --events=latency --latency-stage=qdisc
		traffic --family $family --messages 200 --bytes 100 --reply 100
		sent=$(counted "$ns0") # probes of the last tail may still go out while the books are closed
		netlog_stop
		witness_stop
		check_books
		events latency client 'select(.direction == "egress")' >"$work/out"
		[ "$sent" -ge 200 ] || fail "nft saw $sent packets"
		skipped=$((skipped + $(missed latency)))
		within "lines of packets over IPv$family" "$(count <"$work/out")" $((sent - skipped)) "$(counted "$ns0")"
		equal "stage, interface and source" "$(jq -c '[.stage, .ifname, .src_port]' "$work/out" | sort -u)" \
			"[\"qdisc\",\"wire0\",$(of client local_port)]"
		[ $skipped -gt 0 ] || equal "payload sent" "$(jq .len_bytes "$work/out" | sum)" \
			$((200 * 100 + $(of client bytes_retrans)))
		equal "cookies" "$(jq -r '.sock_cookie // empty' "$work/out" | sort -u | count)" 1
		wire_down
	done
}

# TCP gives the device large packets; the wire takes none, so the host cuts them after the queue.
test_segments_that_the_host_cuts_are_lines_too() {
	for family in 4 6; do
		wire_up --delay-ms 1
		counter_add "$ns0" "meta l4proto tcp"
		witness_start
		netlog_start --events=latency --latency-stage=qdisc
		traffic --family $family --bytes 1000000
		netlog_stop
		witness_stop
		events latency client 'select(.direction == "egress")' >"$work/out"
		[ "$(of client segs_out)" -gt $((2 * $(counted "$ns0"))) ] ||
			fail "nothing was cut: $(counted "$ns0") packets, $(cat "$truth")"
		at_least "lines of segments over IPv$family" "$(count <"$work/out")" 99 \
			$(($(of client segs_out) - skipped))
		[ "$(count <"$work/out")" -le "$(of client segs_out)" ] || fail "more lines than segments"
		wire_down
	done
}

test_a_packet_of_no_tcp_is_a_line_too() {
	wire_up
	netlog_start --events=latency --latency-stage=qdisc
	nsenter --net="$ns0" bash -c 'printf hello >/dev/udp/10.77.0.2/9; printf hello6 >/dev/udp/fd77::2/9'
	answered() { [ "$(jq -r 'select(.proto == "icmp" or .proto == "icmpv6") | select(.len_bytes > 40) |
		.proto' "$lines" | sort -u | count)" = 2 ]; }
	wait_for 10 answered || fail "no answers from a closed port: $(cat "$lines")"
	netlog_stop
	for version in 4 6; do
		equal "IPv$version datagram" "$(jq -c "select(.event_type == \"latency\" and .proto == \"udp\" and
			.ip_version == $version) | [.dest_ip, .dest_port, .len_bytes, .ifname, has(\"tcp_seq\")]" "$lines")" \
			"$([ $version = 4 ] && echo '["10.77.0.2",9,5,"wire0",false]' || echo '["fd77::2",9,6,"wire0",false]')"
	done
	# the answer quotes the packet: 8 bytes, and its headers and payload
	equal "the port's answer" "$(jq -c 'select(.proto == "icmp") |
		[.src_ip, .dest_ip, .len_bytes, .ifname, has("src_port")]' "$lines" | sort -u)" \
		'["10.77.0.2","10.77.0.1",41,"wire1",false]'
}

queue_is_empty() { nsenter --net="$ns0" tc -s qdisc show dev wire0 | grep -q 'backlog 0b 0p'; }

# A token bucket lets BURST bytes through at once, and then RATE: a packet that was queued behind B bytes cannot
# leave sooner than (B - BURST) / RATE.
test_a_packet_in_a_slow_queue_waits_as_long_as_the_rate_says() {
	wire_up
	nsenter --net="$ns0" tc qdisc add dev wire0 root tbf rate 1mbit burst 5000 limit 1000000
	# nobody listens, and nobody shall say so
	nsenter --net="$ns1" nft 'table inet deaf { chain in { type filter hook input priority 0; udp dport 9 drop; }; }'
	witness_start
	netlog_start --events=latency --latency-stage=qdisc
	# by one process: at this rate a datagram takes 8 ms, and a busy host may take longer to start another
	nsenter --net="$ns0" bash -c 'exec 3>/dev/udp/10.77.0.2/9
		for i in {1..50}; do printf %1000s >&3; done' || fail "not sent"
	out() { jq -c 'select(.event_type == "latency" and .dest_port == 9)' "$lines"; }
	all_out() { queue_is_empty && [ $(($(driven) - driven_before)) -ge 50 ]; }
	wait_for 20 all_out || fail "the driver has got $(driven)"
	netlog_stop
	witness_stop
	[ $(($(out | count) + skipped)) -ge 50 ] || fail "$(out | count) of 50 datagrams, $skipped skipped"
	# when it was queued: the time at which it left, less its latency
	out | jq -s 'map((.timestamp | (sub("\\.[0-9]+"; "") | fromdate) * 1000000 +
		(capture("\\.(?<f>[0-9]+)").f | tonumber)) as $left | {left: $left, queued: ($left - .latency_ns / 1000)}) |
		(map(.queued) | min) as $first | to_entries[] | select(.value.left - $first <
			((.key + 1) * 1028 - 5000) * 8 - 1000)' >"$work/early"
	equal "datagrams that left too early" "$(cat "$work/early")" ""
	[ "$(out | jq .latency_ns | sort -n | tail -n 1)" -gt 100000000 ] || fail "none has waited"
}

# netlog remembers 16384 packets: of more that wait at once, some are displaced. Each of these is
# counted, as are those that have been cut from another packet and never waited themselves.
test_a_packet_that_is_not_known_any_more_is_counted_as_lost() {
	wire_up
	nsenter --net="$ns0" tc qdisc add dev wire0 root tbf rate 8kbit burst 2000 limit 100000000
	nsenter --net="$ns1" nft 'table inet deaf { chain in { type filter hook input priority 0; udp dport 9 drop; }; }'
	witness_start
	netlog_start --events=latency --latency-stage=qdisc --dest-port=9
	# so many sockets, since the bytes that one may have under way are limited
	nsenter --net="$ns0" bash -c 'for socket in {1..100}; do
		exec 3>/dev/udp/10.77.0.2/9
		for message in {1..200}; do printf x >&3; done
	done' || fail "not sent"
	nsenter --net="$ns0" tc qdisc change dev wire0 root tbf rate 10gbit burst 1000000 limit 100000000
	# a packet that has left the queue need not have reached the driver
	gone() { queue_is_empty && [ $(($(driven) - driven_before)) -ge 20000 ]; }
	wait_for 20 gone || fail "the driver has got $(driven)"
	netlog_stop
	witness_stop
	check_books
	written=$(jq 'select(.dest_port == 9)' -c "$lines" | count)
	echo "# lines: $written, lost: $(missed latency)"
	within "lines and lost" $((written + $(missed latency))) $((20000 - skipped)) 20000
	within "lines" "$written" $((10000 - skipped)) 16384
}

test_segments_of_udp_that_the_host_cuts_are_counted_as_lost() {
	for family in 4 6; do
		wire_up
		netlog_start --events=latency --latency-stage=qdisc --proto=udp
		datagrams --family $family --messages 100 --bytes 100 --segments 10
		netlog_stop
		check_books
		equal "answers" "$(events latency server 'select(.direction == "egress")' | count)" 100
		told=$(events latency client 'select(.direction == "egress")' | count)
		equal "segments over IPv$family, told and lost" $((told + $(missed latency))) 100
		wire_down
	done
}

# It has its line when its first part is read. Its times may have been displaced from netlog's table when the rest
# is read: there must be no second line, and no loss.
test_a_packet_read_in_parts_is_counted_once() {
	wire_up
	nsenter --net="$ns0" ip link set lo up
	netlog_start --events=latency --latency-stage=app --proto=tcp --netns="$ns0"
	port=$(nsenter --net="$ns0" timeout 60 /usr/bin/python3 tests/live/parts.py 10 30000) || fail "not read"
	netlog_stop
	check_books
	told=$(jq -c "select(.event_type == \"latency\" and .dest_port == $port)" "$lines" | count)
	equal "lines and lost" $((told + $(missed latency))) 1
}

run_tests
