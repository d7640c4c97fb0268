#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# MPTCP: one socket of a process, several TCP connections below it. Against the processes' own account (mptcp.py).
. "$(dirname "$0")/lib.sh"
. tests/live/mptcp.sh

MESSAGES=10 BYTES=1000 # a packet each

# Two netlogs see the same connections. One takes this host for a kernel that keeps nothing with a socket.
mptcp_seen() { # DIRECTORY
	local plain
	wire_up --delay-ms 1 --drop-every 10
	NETLOG_REFUSE=look LD_PRELOAD=$PWD/build/refuse.so \
		"$netlog" -q --output="file:$1/lines.copying" "${ours[@]}" 2>"$work/netlog.copying" &
	plain=$!
	netlog_start
	wait_for 30 started "$1/lines.copying" || fail "it did not start: $(cat "$work/netlog.copying")"
	truth=$1/truth
	mptcp_talk $MESSAGES $BYTES
	netlog_stop
	kill $plain
	wait $plain || fail "it ended with $?"
	cp "$lines" "$1/lines"
}

# The same for all tests: $lines, by [copying] netlog, and $truth
mptcp() {
	local shared=${work%/*}/mptcp
	[ -e /proc/sys/net/mptcp ] || skip "this kernel has no MPTCP"
	[ -e "$shared/lines" ] || { mkdir -p "$shared" && mptcp_seen "$shared"; }
	lines=$shared/lines${1:+.$1} truth=$shared/truth
	check_books
}

test_lines_of_mptcp_have_the_owner_and_the_cookie_of_the_process_s_socket() {
	mptcp
	check_owners
	[ "$(jq 'select(.event_type == "retransmit" and .mptcp_cookie)' "$lines" | count)" -gt 0 ] || fail "no retransmit line"
}

test_each_subflow_has_a_cookie_of_its_own_beside_the_connection_s() {
	mptcp
	jq -c 'select(.mptcp_cookie and .sock_cookie)' "$lines" >"$work/subflows"
	equal "cookies and subflows" "$(jq .sock_cookie "$work/subflows" | sort -u | count)" \
		"$(jq -c '[.netns, ([[.src_ip, .src_port], [.dest_ip, .dest_port]] | sort)]' "$work/subflows" | sort -u | count)"
	equal "that are a connection's, too" "$(jq -c --slurpfile of "$truth" \
		'select(.sock_cookie | IN($of[].cookie))' "$work/subflows" | count)" 0
	for role in client server; do
		equal "subflows of the $role" "$(of_end talk $role | jq '.sock_cookie // empty' | sort -u | count)" 2
	done
}

test_each_message_over_mptcp_is_told_at_stage_app() {
	mptcp
	check_app $MESSAGES $BYTES
}

# There an accepted connection has no owner before somebody reads, and a closed one has none: see README.
test_without_memory_in_sockets_nobody_else_is_named() {
	mptcp copying
	check_app $MESSAGES $BYTES
	for role in client server; do
		of_end talk $role | jq -c 'select(.pid)' >"$work/owned"
		equal "owners at the $role" "$(jq -c '[.pid, .comm]' "$work/owned" | sort -u)" "[$(row talk $role pid),\"m-$role\"]"
		at_least "lines with an owner" "$(count <"$work/owned")" 70 "$(of_end talk $role | count)"
	done
}

# accept(2) then returns a TCP socket
test_without_mptcp_a_connection_to_its_listener_is_owned_from_the_start() {
	mptcp
	port=$(row plain client local_port)
	jq -c "select(.src_port == $port or .dest_port == $port) | select(.sock_cookie) |
		select(.pid or .stage != \"qdisc\" or .len_bytes > 0)" "$lines" >"$work/plain"
	equal "owners and cookies" "$(jq -c '[.pid, .comm, .sock_cookie, .mptcp_cookie]' "$work/plain" | sort -u | xargs)" \
		"$(for role in client server; do
			echo "[$(row plain $role pid),m-$role,$(row plain $role cookie),null]"
		done | sort | xargs)"
}

# An unanswered SYN-ACK is sent again on behalf of the listener.
test_a_listener_is_not_taken_for_the_one_that_had_its_memory_and_its_port() {
	[ -e /proc/sys/net/mptcp ] || skip "this kernel has no MPTCP"
	wire_up
	nsenter --net="$ns0" nft 'table inet t { chain in { type filter hook input priority 0;
		tcp flags & (syn | ack) == syn | ack drop; }; }'
	netlog_start --events=retransmit --netns="$ns1"
	mkfifo "$work/end"
	timeout 60 /usr/bin/python3 tests/live/listeners.py "$ns0" "$ns1" 16 <"$work/end" &
	exec 9>"$work/end"
	wait_for 10 all_listeners_told || fail "only $(told_ports | count) of 16 are told"
	exec 9>&-
	netlog_stop
	equal "owners" "$(jq -r 'select(.event_type == "retransmit") | .comm' "$lines" | sort -u | xargs)" l-alive
}
told_ports() { jq 'select(.retrans_type == "synack") | .src_port' "$lines" | sort -u; }
all_listeners_told() { [ "$(told_ports | count)" = 16 ]; }

run_tests
