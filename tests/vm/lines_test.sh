#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Whose lines they are, and which are left out: what rests on helpers and fields that kernels do not all have.
. "$(dirname "$0")/judge.sh"

# of_truth EXPRESSION: of a scene's account that is one object
of_truth() { jq -r "$1" "$truth"; }

# The netlog whose memory was set back by 7 segments tells that so many calls are missing. That
# may be more, where the kernel has really skipped some: all segments that were sent are compared.
test_missed_calls_are_counted_and_told_as_lost() {
	local true_segs=0 seen=0
	lines_of sampled
	[ "$(missed retransmit)" -ge 7 ] || fail "missed: $(missed retransmit)"
	for truth in "$KEPT"/{lossy,clean}:*/truth.[46] "$KEPT"/{short,ports,cookie,missed}/truth*; do
		[ -s "$truth" ] || fail "no $truth"
		for role in client server; do
			true_segs=$((true_segs + $(of $role total_retrans)))
			seen=$((seen + $(events retransmit $role .segs | sum)))
		done
	done
	echo "# $seen segments told and $(missed retransmit) missed, of $true_segs"
	# of the owners' connection, the segments are not known: of it, one may be missing by itself
	within "more than the truth" $((seen + $(missed retransmit) - true_segs)) 7 9
	scene missed
	[ "$(events retransmit client .segs | sum)" -le "$(of client total_retrans)" ] || fail "more segments than sent"
}

# By the local end, whatever the namespace.
test_namespace_and_cgroup_are_the_sockets() {
	local end=0 role
	lines_of best
	scene ports
	for role in client server; do
		end=$((end + 1))
		jq -c --arg ip "10.77.0.$end" --argjson ports "[$(of $role local_port),$(of $role remote_port)]" '
			select(if .direction == "ingress" then [.dest_ip, .dest_port, .src_port]
				else [.src_ip, .src_port, .dest_port] end == [$ip] + $ports)' "$lines" >"$work/own"
		equal "netns of the $role" "$(jq .netns "$work/own" | sort -u)" \
			"$(sed -n ${end}p "$KEPT/ports/namespaces")"
		# what has just come in, or is a request's, has no socket yet
		jq -c 'select(.stage != "transport" and (.stage != "qdisc" or .len_bytes > 0))' "$work/own" >"$work/sockets"
		equal "cgroup_id of the $role" "$(jq -r .cgroup_id "$work/sockets" | sort -u)" "$(cat "$KEPT/ports/cgroup")"
	done
}

# Asked for by the traffic before its first message, and that of a lost SYN-ACK's request is the
# connection's. Where netlog cannot ask by itself, what came before has none.
test_the_cookie_is_the_sockets() {
	lines_of best
	scene cookie
	check_cookies
	[ "$(events retransmit server 'select(.retrans_type == "synack")' | count)" -ge 1 ] || fail "no SYN-ACK was lost"
}

test_a_socket_passed_to_another_process_is_that_process_s_once_it_is_used() {
	local netlog_of
	scene owners
	for netlog_of in best lower; do
		lines_of $netlog_of
		/usr/bin/python3 tests/live/owners.py "$lines" "$truth" >"$work/owners" ||
			fail "$netlog_of: $(cat "$work/owners")"
	done
}

# Against the lines of the netlog without filters. Each filter leaves out what the others would let pass.
test_a_filter_by_address_port_and_process_lets_through_what_it_should() {
	local address='(.src_ip | startswith("10.77.0."))' process='.comm == "traffic"' but
	local port='([.src_port, .dest_port] | any(. >= 9000 and . <= 9009))'
	local ends='select(.event_type == "rtt") | del(.timestamp, .seq)'
	lines_of filtered
	jq -c "$ends" "$lines" | sort >"$work/told"
	equal "lines that are not wanted" "$(jq -c "select($address and $port and $process | not)" "$work/told" |
		head -n 3)" ""
	lines_of best
	jq -c "select($address and $port and $process)" <(jq -c "$ends" "$lines") | sort >"$work/wanted"
	comm -12 "$work/wanted" "$work/told" >"$work/both"
	at_least "lines that are wanted" "$(count <"$work/both")" 95 "$(count <"$work/wanted")"
	at_least "lines that others have, too" "$(count <"$work/both")" 95 "$(count <"$work/told")"
	[ "$(count <"$work/told")" -ge 30 ] || fail "only $(count <"$work/told") lines"
	for but in "($address | not) and $port and $process" "$address and ($port | not) and $process" \
		"$address and $port and ($process | not)"; do
		[ "$(jq "select(.event_type == \"rtt\" and $but) | .seq" "$lines" | count)" -ge 10 ] ||
			fail "no lines with $but: no test"
	done
}

# Beside that, outputs of the same netlog: to the line. The one need not leave out any, the other takes none.
test_an_outputs_own_filter_narrows_what_it_takes() {
	lines_of filtered
	jq -c 'select((.seq and (has("src_ip") | not)) or (.event_type == "rtt" and .src_port >= 9000 and .src_port <= 9009
		and .dest_ip != "10.77.0.1")) | .seq' "$lines" >"$work/wanted"
	jq -c .seq "$KEPT/lines.own" >"$work/told"
	cmp "$work/wanted" "$work/told" || fail "not the same lines"
	[ "$(count <"$work/told")" -ge 15 ] || fail "only $(count <"$work/told") lines"
	equal "lines of an output that takes none" \
		"$(jq -s 'last | .outputs[] | select(.output == "file:/dev/null") | .emitted.rtt' "$lines")" 0
}

# flows FILTER: through it, the flows' latency lines, by their ports: a namespace's number is used again
flows() {
	jq --argjson flows "$(of_truth .connections)" 'select(.event_type == "latency" and .proto == "tcp") |
		([.src_port, .dest_port] | min) as $port | select($port >= 10000 and $port < 10000 + $flows) | '"$1" "$lines"
}

# flow_lines: "PORT LINES" of each flow, at stage qdisc
flow_lines() { flows 'select(.stage == "qdisc") | $port' | sort | uniq -c | awk '{ print $2, $1 }' | sort; }

# Two that see the same flows: of each, the one with --sample has all that the other has, or nothing.
test_sampling_keeps_one_in_three_flows_whole() {
	scene flows
	lines_of best
	flow_lines >"$work/all"
	equal "flows" "$(count <"$work/all")" "$(of_truth .connections)"
	lines_of sampled
	flow_lines >"$work/kept"
	equal "flows that are not whole" "$(comm -13 "$work/all" "$work/kept" | xargs)" ""
	# by chance, but always by the same: their ports, and so their hashes, are the same in each run
	within "flows kept" "$(count <"$work/kept")" $(($(of_truth .connections) / 6)) $(($(of_truth .connections) * 2 / 3))
	equal "weights" "$(flows .weight | sort -u)" 3
	equal "weights of what is not sampled" "$(jq 'select(.event_type == "rtt" or .event_type == "retransmit") |
		.weight // 1' "$lines" | sort -u)" 1
}

# Debian's 5.10 has no MPTCP.
test_mptcp_is_told_by_owner_and_connection_and_at_stage_app() {
	. tests/live/mptcp.sh
	kernel_at_least 5 11 || skip "no MPTCP"
	scene mptcp
	lines_of best
	check_app 10 1000
	check_owners
	lines_of lower # raw tracepoints know no owners
	check_app 10 1000
}

test_the_first_datagram_of_a_socket_has_its_owner() {
	local owner=null
	scene first
	lines_of best
	! kernel_at_least 5 15 || owner=$(of_truth .pid)
	# nine by each way that has ports
	equal "owners of datagrams" "$(jq "select(.stage == \"qdisc\" and .dest_ip == \"10.77.0.2\" and .dest_port == 9) |
		.pid" "$lines" | sort | uniq -c | xargs)" "$((9 * $(of_truth .ways))) $owner"
}

# The kernel makes copies at UDP itself: the datagram that came in is with one of its sockets.
test_copies_of_a_multicast_datagram_are_counted_as_lost() {
	local told copies
	scene multicast received
	lines=$KEPT/multicast/lines.copies
	check_books
	copies=$(cat "$truth")
	told=$(jq -c 'select(.event_type == "latency" and .dest_ip == "239.77.0.1")' "$lines" | count)
	echo "# $copies received: $told lines, $(missed latency) lost"
	equal "lines and lost" $((told + $(missed latency))) "$copies"
	within "lines of 20 datagrams" "$told" 15 20
}

run_tests
