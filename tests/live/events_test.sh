#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The lines of each event, against TCP_INFO, the kernel's counters and the traffic's own clock.
#
# first: it takes long
. "$(dirname "$0")/lib.sh"

# The namespace's counter, such as TCPFastRetrans (/proc/net/netstat)
counter() {
	nsenter --net="$1" awk -v name="$2" '
		/^TcpExt:/ && !have { for (i = 2; i <= NF; i++) at[$i] = i; have = 1; next }
		/^TcpExt:/ { print $at[name] }' /proc/net/netstat
}

# Every 20th payload packet is dropped on its way.
test_segs_sum_up_to_total_retrans_over_ipv4_ipv6_and_a_dual_stack_socket() {
	wire_up --delay-ms 5 --drop-every 20
	for family in 4 6 46; do
		netlog_start --events=retransmit
		traffic --family $family --bytes 3000000
		netlog_stop
		check_books
		[ "$(of client total_retrans)" -ge 20 ] || fail "no loss: $(cat "$truth")"
		all_told
		[ "$(missed retransmit)" -gt 0 ] ||
			equal "the last retrans_total" "$(events retransmit client .retrans_total | tail -n 1)" \
				"$(of client total_retrans)"
		[ "$(missed retransmit)" -gt 0 ] ||
			equal "len_bytes" "$(events retransmit client .len_bytes | sum)" \
				"$(of client bytes_retrans)"
		equal "the source port" "$(events retransmit client .src_port | sort -u)" \
			"$(of client local_port)"
	done
}

# A call that the kernel skips shows at the next one: TCP's own counter has then grown by more segments than
# that call sends.
test_missed_calls_are_counted_and_told_as_lost() {
	wire_up --delay-ms 2 --drop-every 20
	netlog_start --events=retransmit
	traffic --messages 2 --bytes 300000 --forget "$(sockets_map "$netlog_pid")"
	netlog_stop
	check_books
	[ "$(missed retransmit)" -ge 7 ] || fail "missed: $(missed retransmit)"
	equal "more than the truth" "$(($(segs_of client) - $(of client total_retrans)))" 7
	/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "a line is not valid"
}

# One lost SYN, again one lost SYN, and one lost packet of a connection whose listener that socket is by then:
# what is remembered of the one is not of the next.
test_each_connection_of_a_socket_is_counted_by_itself() {
	wire_up --delay-ms 1
	nsenter --net="$ns0" nft 'table inet loss { chain in { type filter hook prerouting priority -300;
		tcp dport 7100 tcp flags & (syn | ack) == syn numgen inc mod 2 0 drop;
		tcp sport 7200 meta length > 200 numgen inc mod 2 0 drop; }; }'
	netlog_start --events=retransmit
	timeout 60 /usr/bin/python3 tests/live/again.py "$ns0" "$ns1" >"$work/truth" || fail "again.py failed"
	netlog_stop
	check_books
	all_told
	jq -c --slurpfile lines "$lines" '. as $own | [$lines[] | select(.event_type == "retransmit" and
		.netns == $own.netns and .src_port == $own.local_port and .dest_port == $own.remote_port) | .segs] |
		{total: $own.total_retrans, segs: (add // 0)}' "$work/truth" >"$work/told"
	equal "connections" "$(count <"$work/told")" 3
	equal "connections without a loss" "$(jq -c 'select(.total == 0)' "$work/told")" ""
	equal "more segs than total_retrans" "$(jq -c 'select(.segs > .total)' "$work/told")" ""
}

test_a_small_receive_window_and_many_segments_in_one_skb_still_sum_up() {
	wire_up --delay-ms 2 --drop-every 7
	netlog_start --events=retransmit
	traffic --bytes 500000 --messages 2 --congestion reno
	netlog_stop
	check_books
	all_told
}

test_fast_retransmits_and_timeouts_are_those_of_the_kernels_counters() {
	wire_up --delay-ms 5 --drop-every 20
	netlog_start --events=retransmit
	traffic --bytes 1500000 --congestion reno
	netlog_stop
	told "fast" "$(events retransmit client 'select(.retrans_type == "fast") | .segs' | sum)" \
		"$(counter "$ns0" TCPFastRetrans)"
	[ "$(counter "$ns0" TCPFastRetrans)" -gt 0 ] || fail "no fast retransmit"
	# a timeout resends the queue's head, and slow start the rest of it
	told "rto" "$(events retransmit client 'select(.retrans_type == "rto") | .segs' | sum)" \
		$(($(counter "$ns0" TCPTimeouts) + $(counter "$ns0" TCPSlowStartRetrans)))
	equal "without a cause" "$(events retransmit client 'select(.retrans_type == null)' | count)" 0
}

# A single packet is lost, and no later one brings an acknowledgement that shows it: the tail-loss probe does.
test_a_lost_last_packet_is_a_tlp() {
	wire_up --delay-ms 5 --drop-every 20
	netlog_start --events=retransmit
	traffic --messages 100
	netlog_stop
	tlp=$(events retransmit client 'select(.retrans_type == "tlp")' | count)
	told "tlp" "$tlp" "$(counter "$ns0" TCPLossProbes)"
	[ "$tlp" -ge 4 ] || fail "5 packets were dropped, $tlp probes"
}

test_without_the_probe_it_is_a_timeout() {
	wire_up --delay-ms 5 --drop-every 20
	nsenter --net="$ns0" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_early_retrans'
	netlog_start --events=retransmit
	traffic --messages 60
	netlog_stop
	rto=$(events retransmit client 'select(.retrans_type == "rto" and .ca_state == "loss")' | count)
	told "rto" "$rto" "$(counter "$ns0" TCPTimeouts)"
	[ "$rto" -ge 3 ] || fail "3 packets were dropped, $rto timeouts"
}

test_a_lost_syn_is_told_with_its_state() {
	wire_up --drop-syn 2
	netlog_start --events=retransmit
	traffic --family 6
	netlog_stop
	all_told
	told "syn" "$(events retransmit client 'select(.retrans_type == "syn" and
		.tcp_state == "syn_sent" and .len_bytes == 0 and .src_ip == "fd77::1" and
		.dest_ip == "fd77::2" and (has("srtt_us") | not)) | .segs' | sum)" 2
	# RFC 6298: a second at first, then doubled; from 6.5 on not at once (tcp_syn_linear_timeouts)
	equal "other timeouts" "$(events retransmit client '[.retrans_total, .rto_us / pow(2; .backoff)]' |
		grep -vxF -e '[1,1000000]' -e '[2,1000000]')" ""
	[ "$(events retransmit client .tcp_seq | sort -u | count)" -le 1 ] || fail "several SYNs: $(events retransmit client)"
	equal "total_retrans" "$(of client total_retrans)" 2
	equal "the kernel's count" "$(counter "$ns0" TCPSynRetrans)" 2
}

# The request socket behind a SYN-ACK is no full socket, and on a dual-stack listener not even its
# family tells which protocol it speaks.
test_a_lost_synack_is_told_over_ipv4_ipv6_and_a_dual_stack_listener() {
	for family in 4 6 46; do
		wire_up --drop-synack 1
		netlog_start --events=retransmit
		traffic --family $family
		netlog_stop
		check_books
		all_told
		case $family in
		6) from=fd77::2 version=6 ;;
		*) from=10.77.0.2 version=4 ;;
		esac
		told=$(events retransmit server "select(.retrans_type == \"synack\" and
			.tcp_state == \"syn_received\" and .ip_version == $version and .src_ip == \"$from\" and
			.src_port == $(of server local_port) and .dest_port == $(of server remote_port) and
			.cgroup_id != null and .netns != null and (has(\"cwnd\") | not)) | .segs" | sum)
		[ $((told + $(missed retransmit))) -ge 1 ] || fail "IPv$family: $(cat "$lines")"
		first=$(events retransmit server 'select(.retrans_total == 1) | [.rto_us, .backoff, .len_bytes]')
		equal "rto_us, backoff and payload of the first" "$first" "${first:+$(kernel_at_least 5 12 &&
			echo "[1000000,0,0]" || echo "[null,0,0]")}"
		told "segs of the server over IPv$family" \
			"$(events retransmit server .segs | sum)" "$(of server total_retrans)"
		told "the kernel's count" "$told" "$(counter "$ns1" TCPSynRetrans)"
		wire_down
	done
}

# When a router has a smaller MTU, TCP enters the same congestion state as after a timeout; no timer has
# run out.
test_a_smaller_path_mtu_is_not_called_a_timeout() {
	wire_up --delay-ms 2 --narrow 1000
	netlog_start --events=retransmit
	traffic --bytes 100000
	netlog_stop
	all_told
	[ "$(events retransmit client 'select(.ca_state == "loss" and .retrans_type == null)' |
		count)" -ge 1 ] || fail "none without a cause: $(events retransmit client)"
	[ "$(counter "$ns0" TCPTimeouts)" -gt 0 ] ||
		equal "called rto without a timeout" \
			"$(events retransmit client 'select(.retrans_type == "rto")' | count)" 0
}

# Packets that wait in the host's own queue for longer than the timeout: TCP wants to send them again,
# finds them still there and lets it be. From 6.17 on this is told, with segs 0.
test_what_was_not_sent_counts_no_segment() {
	wire_up
	nsenter --net="$ns0" tc qdisc add dev wire0 root tbf rate 20kbit burst 2000 limit 200000
	netlog_start --events=retransmit
	traffic --bytes 1000 --messages 5
	netlog_stop
	all_told
	equal "segs with an error before sending" \
		"$(events retransmit client 'select(.err == "EBUSY") | .segs' | sum)" 0
	if grep -q 'int err' <(bpftool btf dump file /sys/kernel/btf/vmlinux format c |
		grep -A 14 'struct trace_event_raw_tcp_retransmit_skb {'); then
		[ "$(events retransmit client 'select(.err == "EBUSY")' | count)" -ge 1 ] ||
			fail "no EBUSY: $(events retransmit client)"
	fi
}

test_srtt_is_the_wires_delay() {
	wire_up --delay-ms 5
	netlog_start --events=rtt
	traffic_both --messages 100 --times
	netlog_stop
	check_books
	for family in 4 6; do
		truth=$work/truth.$family
		for role in client server; do
			# a busy host adds to the wire's delay, so TCP_INFO after each message is the truth
			events rtt $role .srtt_us >"$work/told"
			jq "select(.role == \"$role\" and has(\"message\")) | .srtt_us" "$truth" >"$work/true"
			at_least "srtt_us that TCP_INFO gave the $role over IPv$family, and a line told" \
				"$(grep -cxFf "$work/told" "$work/true")" 95 "$(count <"$work/true")"
			[ "$(median <"$work/told")" -ge 10000 ] || fail "faster than the wire: $(cat "$work/told")"
			[ "$(events rtt $role .min_rtt_us | tail -n 1)" -ge "$(of $role min_rtt_us)" ] ||
				fail "min_rtt_us is below $(of $role min_rtt_us): $(events rtt $role)"
			equal "src is the local end" "$(events rtt $role .src_port | sort -u)" \
				"$(of $role local_port)"
		done
	done
}

# An IPv6 socket may speak IPv4, and then its lines say so; and ::1 is no IPv4.
test_addresses_are_those_on_the_wire() {
	for where in wire loopback; do
		for family in 4 6 46; do
			wire_up --delay-ms 1 --drop-every 5
			[ $where = wire ] || ns0=$ns1
			netlog_start
			traffic --family $family --messages 40 --bytes 2000
			netlog_stop
			case $where$family in
			wire6) client='6,"fd77::1"' server='6,"fd77::2"' ;;
			wire*) client='4,"10.77.0.1"' server='4,"10.77.0.2"' ;;
			loopback6) client='6,"::1"' server='6,"::1"' ;;
			*) client='4,"127.0.0.1"' server='4,"127.0.0.1"' ;;
			esac
			for type in rtt retransmit; do
				[ $where$type != loopbackretransmit ] || continue # nothing is dropped there
				equal "$type, IPv$family, $where" "$(events $type client \
					'[.ip_version, .src_ip, .dest_ip, .src_port, .dest_port]' | sort -u)" \
					"[$client,${server#*,},$(of client local_port),$(of client remote_port)]"
			done
			equal "latency, IPv$family, $where" "$(events latency client \
				'select(.direction == "ingress") | [.ip_version, .src_ip, .dest_ip, .src_port, .dest_port]' | sort -u)" \
				"[$server,${client#*,},$(of client remote_port),$(of client local_port)]"
			wire_down
		done
	done
}

# Without timestamps, a handshake that was sent again is no sample (Karn's algorithm): RFC 6298, 3.
test_where_nothing_was_measured_there_is_no_rtt_line() {
	for drop in syn synack; do
		wire_up --drop-$drop 1
		for ns in "$ns0" "$ns1"; do
			nsenter --net="$ns" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_timestamps'
		done
		netlog_start --events=rtt
		traffic --messages 3
		netlog_stop
		equal "rtt lines without a time" \
			"$(jq -c 'select(.event_type == "rtt" and (has("srtt_us") | not))' "$lines" | count)" 0
		wire_down
	done
}

# 101 samples: that of the handshake and of each message's acknowledgement.
test_each_new_sample_is_a_line_and_nothing_else() {
	wire_up --delay-ms 2
	netlog_start --events=rtt
	traffic --messages 100
	netlog_stop
	# fexit sees the acknowledgement of the FIN, too
	most=$(jq -es '[.[0].hooks[] | select(.hook == "fexit/tcp_ack_update_rtt" and (has("error") | not))] |
		101 + length' "$lines")
	within "lines for the handshake and 100 messages" "$(events rtt client | count)" 95 "$most"
}

# A socket that only receives has two samples: the handshake, and its one-byte reply at the end.
test_a_bulk_receiver_tells_no_sample_that_is_none() {
	wire_up --delay-ms 2
	netlog_start --events=rtt
	traffic --bytes 2000000
	netlog_stop
	[ "$(of server data_segs_in)" -gt 500 ] || fail "no bulk: $(cat "$truth")"
	within "lines of the receiver" "$(events rtt server | count)" 1 2
	[ "$(events rtt client | count)" -gt 20 ] || fail "no lines of the sender"
}

# A sample that a socket took before netlog started is not told as a new one.
test_a_socket_older_than_netlog_tells_only_what_is_new() {
	wire_up --delay-ms 2
	build/traffic --client "$ns0" --server "$ns1" --messages 200 --reply 0 --gap-ms 20 \
		>"$work/truth" &
	traffic_pid=$!
	established() { nsenter --net="$ns1" ss -tnH state established | grep -q .; }
	wait_for 10 established || fail "no connection"
	netlog_start --events=rtt
	wait $traffic_pid || fail "traffic failed"
	netlog_stop
	truth=$work/truth
	equal "lines of the one that sends nothing" "$(events rtt server | count)" 0
	[ "$(events rtt client | count)" -gt 20 ] || fail "no lines of the sender"
}

test_999_of_1000_messages_have_their_latency_at_both_stages() {
	wire_up
	netlog_start --events=latency
	traffic_both --messages 1000 --bytes 100 --reply 100
	netlog_stop
	check_books
	for family in 4 6; do
		truth=$work/truth.$family
		for role in client server; do
			events latency $role 'select(.stage == "tcp")' >"$work/tcp"
			events latency $role 'select(.stage == "app")' >"$work/app"
			at_least "IPv$family $role, packets at stage tcp" "$(count <"$work/tcp")" 99 \
				"$(of $role segs_in)"
			at_least "IPv$family $role, messages at stage app" "$(count <"$work/app")" 99 1000
			equal "messages told twice" "$(jq .tcp_seq "$work/app" | sort | uniq -d | count)" 0
			equal "payload, ports, interface and direction at stage app" "$(jq -c \
				'[.len_bytes, .dest_port, .src_port, .ifname, .direction]' "$work/app" | sort -u)" \
				"[100,$(of $role local_port),$(of $role remote_port),\"wire$([ $role = server ] && echo 1 || echo 0)\",\"ingress\"]"
		done
	done
}

test_a_packet_that_is_read_in_parts_is_told_once() {
	wire_up
	netlog_start --events=latency
	traffic --messages 50 --bytes 100 --read-bytes 7
	netlog_stop
	events latency server 'select(.stage == "app") | .tcp_seq' >"$work/app"
	equal "messages at stage app" "$(count <"$work/app")" 50
	equal "steps from one to the next" "$(awk 'NR > 1 { print ($1 - last + 2^32) % 2^32 } { last = $1 }' \
		"$work/app" | sort -u)" 100
	# the same packet was with TCP before it was with the application
	equal "packets that TCP had later than the application, or at once" "$(events latency server 'select(.direction == "ingress")' |
		jq -cs 'group_by(.tcp_seq)[] | (map({(.stage): .latency_ns}) | add) |
			select(.tcp and .app) | select(.tcp <= 0 or .tcp > .app)' | count)" 0
}

# The upper of two stacked devices has another number than the one that the packet came in by.
test_the_interface_is_known_also_where_devices_are_stacked() {
	wire_up
	nsenter --net="$ns0" sh -c "ip link add v0 type veth peer name v1 &&
		ip link add link v0 name m0 type macvlan mode bridge && ip link set v1 netns /proc/$wire_pid/fd/31 &&
		ip addr add 10.78.0.1/24 dev m0 && ip link set v0 up && ip link set m0 up" || fail "no macvlan"
	nsenter --net="$ns1" sh -c "ip addr add 10.78.0.2/24 dev v1 && ip link set v1 up &&
		ip addr del 10.77.0.2/24 dev wire1 && ip addr add 10.77.0.2/32 dev v1 && ip route add 10.77.0.1 via 10.78.0.1"
	nsenter --net="$ns0" sh -c "ip addr del 10.77.0.1/24 dev wire0 && ip addr add 10.77.0.1/32 dev m0 &&
		ip route add 10.77.0.2 via 10.78.0.2 src 10.77.0.1"
	netlog_start --events=latency
	traffic --messages 20
	netlog_stop
	equal "interfaces that the client receives by" "$(events latency client \
		'select(.direction == "ingress") | .ifname' | sort -u)" '"v0"'
	equal "interfaces that the server receives by" "$(events latency server \
		'select(.direction == "ingress") | .ifname' | sort -u)" '"v1"'
	# outwards, each of the stacked devices has a queue
	equal "interfaces that the client sends by" "$(events latency client \
		'select(.direction == "egress") | .ifname' | sort -u | xargs)" 'm0 v0'
}

# Message i's line against the traffic's own clock: it was in the queue from `arrived` to `before` at
# least, and came after the one before it had been read.
test_latency_at_stage_app_is_the_time_in_the_queue() {
	wire_up
	netlog_start --events=latency --latency-stage=app
	traffic --messages 50 --bytes 100 --dwell-ms 10 --times
	netlog_stop
	events latency server '.latency_ns / 1000 | floor' >"$work/told"
	jq -r 'select(.role == "server" and has("message")) | "\(.before_us - .arrived_us) \(.after_us)"' \
		"$truth" >"$work/true"
	paste "$work/told" "$work/true" >"$work/both"
	equal "messages" "$(count <"$work/told")" 50
	awk '$1 < $2 || (last && $1 > $3 - last) { print "# " $0; bad = 1 } { last = $3 }
		END { exit bad }' "$work/both" || fail "a latency that cannot be"
}

# The server dwells on each message; the client reads at once.
test_min_latency_leaves_out_what_was_faster_and_nothing_else() {
	wire_up
	netlog_start --events=latency --latency-stage=app --min-latency=20000
	traffic --messages 20 --bytes 100 --dwell-ms 40
	netlog_stop
	check_books
	equal "messages of the dwelling server" "$(events latency server | count)" 20
	# the client reads at once, but on a busy host it may wait for a CPU: it may have lines, too
	equal "below the threshold" \
		"$(jq -c 'select(.event_type == "latency" and .latency_ns < 20000000)' "$lines" | count)" 0
	equal "the filter in the start line" "$(head -n 1 "$lines" | jq -c '.filters["min-latency"]')" '["20000"]'
}

test_rtt_interval_thins_out_each_socket_and_keeps_the_newest() {
	wire_up --delay-ms 1
	netlog_start --events=rtt --rtt-interval=100
	traffic --messages 300
	netlog_stop
	check_books
	for role in client server; do
		events rtt $role '.timestamp | (sub("\\.[0-9]+"; "") | fromdate) * 1000000 +
			(capture("\\.(?<f>[0-9]+)").f | tonumber)' >"$work/times"
		# their number depends on how long the traffic takes; the interval is looked at below
		within "lines of the $role" "$(count <"$work/times")" 3 250
		# the interval is one of the kernel's clock in ns, and these times are rounded to us
		awk 'last && $1 - last < 99999 { print "# " $1 - last; bad = 1 } { last = $1 } END { exit bad }' \
			"$work/times" || fail "two lines of the $role within the interval"
	done
}

test_timestamps_are_the_true_wall_clock() {
	wire_up
	netlog_start --events=latency --latency-stage=app
	traffic --messages 500 --bytes 100 --times
	netlog_stop
	us='.timestamp | (sub("\\.[0-9]+"; "") | fromdate) * 1000000 +
		(capture("\\.(?<f>[0-9]+)").f | tonumber)'
	for role in client server; do
		events latency $role "$us" >"$work/told"
		jq -r "select(.role == \"$role\" and has(\"message\")) | \"\\(.before_us) \\(.after_us)\"" \
			"$truth" >"$work/true"
		equal "messages" "$(count <"$work/told")" "$(count <"$work/true")"
		paste "$work/told" "$work/true" |
			awk '$1 < $2 - 10000 || $1 > $3 + 10000 { print "# " $0; bad = 1 } END { exit bad }' ||
			fail "more than 10 ms off"
	done
}

# The server's socket is its listener's until its first read; the listener was the client's process.
test_the_owner_is_who_uses_the_socket_on_every_event() {
	needs_the_hosts_pids
	wire_up --delay-ms 1 --drop-every 10
	netlog_start
	traffic --messages 100 --bytes 100 --reply 100
	netlog_stop
	for role in client server; do
		equal "who reads as the $role" \
			"$(events latency $role 'select(.stage == "app") | .pid' | sort -u)" "$(of $role pid)"
		first=$(for type in retransmit rtt latency; do
			events $type $role "select(.pid == $(of $role pid)) | .seq"
		done | sort -n | head -n 1)
		for type in retransmit rtt latency; do
			equal "pids on the $role's $type lines since" \
				"$(events $type $role "select(.seq >= ${first:-0} and .stage != \"transport\") | .pid" |
					sort -u)" "$(of $role pid)"
		done
	done
}

test_namespace_and_cgroup_are_the_sockets() {
	wire_up
	netlog_start
	traffic --messages 10
	netlog_stop
	end=0
	for role in client server; do
		ns=ns$end end=$((end + 1))
		# by the local end, whatever the namespace
		jq -c --arg ip "10.77.0.$end" --argjson ports "[$(of $role local_port),$(of $role remote_port)]" '
			select(if .direction == "ingress" then [.dest_ip, .dest_port, .src_port]
				else [.src_ip, .src_port, .dest_port] end == [$ip] + $ports)' "$lines" >"$work/own"
		equal "netns of the $role" "$(jq .netns "$work/own" | sort -u)" "$(stat -Lc %i "${!ns}")"
		# a packet that has just come in, or that belongs to a request, has no socket yet
		jq -c 'select(.stage != "transport" and (.stage != "qdisc" or .len_bytes > 0))' "$work/own" >"$work/sockets"
		# the cgroup of this shell, in the hierarchy that sockets belong to, if it is mounted
		if mountpoint -q /sys/fs/cgroup && [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
			equal "cgroup_id of the $role" "$(jq -r .cgroup_id "$work/sockets" | sort -u)" \
				"$(stat -c %i "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)")"
		fi
	done
}

# The traffic asks for its sockets' cookies before its first message. A request whose SYN-ACK is lost has the
# cookie of the connection that comes of it. On kernels where netlog cannot have a socket given a cookie, lines
# from before the traffic asked have none.
test_the_cookie_is_the_sockets() {
	wire_up --drop-synack 1
	netlog_start
	traffic --messages 10 --bytes 100 --reply 100 --cookie
	netlog_stop
	check_cookies
}

test_a_name_of_any_bytes_is_valid_json() {
	wire_up
	netlog_start --events=latency --latency-stage=app
	traffic --messages 5 --comm "$(printf '\xff\x1b[2J"\\\n\xe2\x82')"
	netlog_stop
	/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "a line is not valid"
	equal "its name" "$(events latency server .comm | sort -u)" \
		'"�\u001b[2J\"\\\n�"'
}

test_every_line_of_a_busy_run_is_valid_by_the_schema() {
	wire_up --delay-ms 1 --drop-every 15
	netlog_start --stats-interval=0.1
	traffic --bytes 300000 --messages 3
	traffic --family 6 --messages 100
	netlog_stop
	check_books
	/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "a line is not valid"
	# a missed call is told by a lost line; nothing else may be lost
	equal "types of lines" \
		"$(jq -r 'select(.where != "hook") | .event_type' "$lines" | sort -u | tr '\n' ' ')" \
		"latency retransmit rtt start stats stop "
}

run_tests
