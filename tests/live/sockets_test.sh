#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A socket is the socket, and not its file: whose a packet is stays known when its process has closed it.
. "$(dirname "$0")/lib.sh"

# closed COUNT BYTES: the server's packets with payload are in $work/data, those without in $work/bare
closed() {
	wire_up --delay-ms 5
	netlog_start --events=latency --latency-stage=qdisc --proto=tcp
	nsenter --net="$ns0" timeout 60 /usr/bin/python3 tests/live/closed.py "$ns0" "$ns1" "$@" >"$work/closed" || fail "not sent"
	netlog_stop
	check_books
	port=$(jq .port "$work/closed") pid=$(jq .pid "$work/closed")
	jq -c "select(.event_type == \"latency\" and .src_port == $port and .len_bytes > 0)" "$lines" >"$work/data"
	jq -c "select(.event_type == \"latency\" and .src_port == $port and .len_bytes == 0)" "$lines" >"$work/bare"
	[ "$(count <"$work/data")" -ge "$1" ] || fail "no packets: $(count <"$work/data")"
}

test_packets_of_a_closed_socket_have_its_owner_and_its_cookie() {
	for bytes in 100 100000; do # one packet, sent by close(); many, sent long after
		closed 20 $bytes
		equal "packets without the owner" "$(jq -c "select(.pid != $pid)" "$work/data" | count)" 0
		equal "packets without a cookie" "$(jq -c 'select(.sock_cookie == null)' "$work/data" | count)" 0
		equal "cookies" "$(jq -r .sock_cookie "$work/data" | sort -u | count)" 20
		equal "connections and cookies" "$(jq -c '[.dest_port, .sock_cookie]' "$work/data" | sort -u | count)" 20
		wire_down
	done
}

test_a_closed_ports_answer_is_nobodys() {
	closed 1 100
	jq -c --slurpfile of "$work/closed" 'select(.dest_port | IN($of[0].clients[]) | not)' "$work/bare" >"$work/answers"
	[ -s "$work/answers" ] || fail "no answer: $(cat "$work/bare")"
	equal "owner, cookie and cgroup of the answer" "$(jq -c '[.pid, .sock_cookie, .cgroup_id]' "$work/answers" | sort -u)" \
		"[null,null,null]"
}

run_tests
