#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# netlog does not feed itself: the ssh session that carries its lines is left out, and a shipper can be.
. "$(dirname "$0")/lib.sh"

unset SSH_CONNECTION # ours, if any, is not the one that is meant

# ends FAMILY: the addresses of the wire's two ends
ends() {
	case $1 in
	4) client_ip=10.77.0.1 server_ip=10.77.0.2 ;;
	6) client_ip=fd77::1 server_ip=fd77::2 ;;
	esac
}

# port_of NETNS PORT: the next socket there that does not choose a port gets this one
port_of() {
	nsenter --net="$1" sh -c "echo $2 $2 >/proc/sys/net/ipv4/ip_local_port_range"
}

# connection FAMILY CLIENT_PORT SERVER_PORT: traffic between these ports
connection() {
	port_of "$ns0" "$2"
	port_of "$ns1" "$3"
	traffic --family "$1" --messages 40 --bytes 100 --reply 100
	equal "ports" "$(of client local_port) $(of server local_port)" "$2 $3"
}

# lines_of FILE CLIENT_PORT SERVER_PORT: how many there are of the connection, in both namespaces
lines_of() {
	jq -c "select(.netns == $(stat -Lc %i "$ns0") or .netns == $(stat -Lc %i "$ns1")) |
		select(([.src_port, .dest_port] | sort) == ([$2, $3] | sort))" "$1" | count
}

filters() { jq -c "select(.event_type == \"$1\") | .filters.ssh" "$lines"; }

# Another connection has all its lines, also one from the same port.
test_the_ssh_sessions_connection_is_left_out_and_no_other() {
	wire_up --delay-ms 1 --drop-every 9
	for family in 4 6; do
		ends $family
		port=$((1000 + 1000 * family)) # its own: those of before are still kept for a while
		export SSH_CONNECTION="$client_ip 9000 $server_ip $port"
		$netlog "${ours[@]}" -q --include-ssh -o "file:$work/all.$family" &
		all=$!
		wait_for 30 grep -qs start "$work/all.$family" || fail "no start"
		netlog_start
		grep -q "leaving out the connection of this ssh session, $SSH_CONNECTION; --include-ssh" \
			"$work/netlog.log" || fail "$(cat "$work/netlog.log")"
		connection $family 9000 $port
		connection $family 9001 $((port + 1))
		connection $family 9000 $((port + 2))
		netlog_stop
		kill $all
		wait $all || fail "the other netlog ended with $?"
		check_books
		equal "in the start line" "$(filters start)" "[\"$SSH_CONNECTION\"]"
		equal "lines of the session" "$(lines_of "$lines" 9000 $port)" 0
		for ports in "9001 $((port + 1))" "9000 $((port + 2))"; do
			# shellcheck disable=SC2086
			at_least "lines of $ports" "$(lines_of "$lines" $ports)" 97 "$(lines_of "$work/all.$family" $ports)"
		done
		lines=$work/all.$family
		check_books
		equal "with --include-ssh" "$(filters start)" null
		[ "$(lines_of "$lines" 9000 $port)" -gt 100 ] || fail "$(lines_of "$lines" 9000 $port) lines of the session"
	done
}

at_exit_of_nested() {
	[ ! -s "$work/pid" ] || kill "$(cat "$work/pid")" 2>/dev/null # it is no job of ours
	at_exit_of_test
}

# SSH_CONNECTION is several processes up, as under sudo; and processes have names that look like fields of
# /proc/PID/stat.
test_the_session_is_found_in_a_parents_environment() {
	trap at_exit_of_nested EXIT
	wire_up
	lines=$work/lines.jsonl
	cp /bin/sh "$work/a) S 1 (b"
	SSH_CONNECTION="10.77.0.1 9000 10.77.0.2 7000" sh -c 'env -i "$@"; exit $?' sh "$work/a) S 1 (b" -c \
		'"$@" & echo $! >"$0"; wait $!; exit $?' "$work/pid" $netlog -q -o "file:$lines" &
	outer=$!
	wait_for 30 grep -qs start "$lines" || fail "no start"
	netlog_pid=$(cat "$work/pid")
	if tr '\0' '\n' <"/proc/$netlog_pid/environ" | grep -q SSH; then
		fail "it has the variable itself"
	fi
	connection 4 9000 7000
	connection 4 9000 7001
	kill "$netlog_pid"
	wait $outer || fail "netlog ended with $?"
	rm "$work/pid"
	check_books
	equal "in the start line" "$(filters start)" '["10.77.0.1 9000 10.77.0.2 7000"]'
	equal "lines of the session" "$(lines_of "$lines" 9000 7000)" 0
	[ "$(lines_of "$lines" 9000 7001)" -gt 100 ] || fail "no lines of another connection"
}

talks() { nsenter --net="$ns0" ss -Htn sport = :9000 | grep -q ESTAB; }
let_in() { [ "$(lines_of "$lines" 9000 7000)" -gt 100 ]; }
reloaded() { [ "$(grep -c '"event_type":"reload"' "$lines")" -ge "$1" ]; }

test_sighup_keeps_the_session_and_may_let_it_in() {
	export SSH_CONNECTION="::ffff:10.77.0.1 9000 ::ffff:10.77.0.2 7000"
	wire_up
	echo '{"not-port": "1"}' >"$work/conf"
	port_of "$ns0" 9000
	port_of "$ns1" 7000
	chatter 1
	wait_for 30 talks || fail "no session"
	netlog_start --config="$work/conf"
	echo '{"not-port": "2"}' >"$work/conf"
	kill -HUP "$netlog_pid"
	wait_for 10 reloaded 1 || fail "no reload"
	connection 4 9001 7001
	[ "$(lines_of "$lines" 9001 7001)" -gt 100 ] || fail "no lines of another connection"
	equal "lines of the session" "$(lines_of "$lines" 9000 7000)" 0
	echo '{"include-ssh": true}' >"$work/conf"
	kill -HUP "$netlog_pid"
	wait_for 10 reloaded 2 || fail "no reload"
	wait_for 30 let_in || fail "the session is not let in"
	netlog_stop
	check_books
	equal "in the reload lines" "$(filters reload | tr '\n' ' ')" '["10.77.0.1 9000 10.77.0.2 7000"] null '
}

# ---- a shipper: it sends each line over the wire, whose packets make further lines

# shipped OPTIONS: netlog | shipper, and a connection's traffic; the lines are also in $lines
shipped() {
	lines=$work/lines.jsonl received=$work/received
	rm -f "$lines" "$received"
	nsenter --net="$ns1" /usr/bin/python3 tests/live/shipper.py receive 10.77.0.2 7777 "$received" &
	receiver=$!
	wait_for 30 listening || fail "no receiver"
	mkfifo "$work/pipe"
	nsenter --net="$ns0" /usr/bin/python3 tests/live/shipper.py send 10.77.0.2 7777 <"$work/pipe" &
	"$netlog" -q --include-ssh --netns="$ns0" --stats-interval=0 -o "file:$lines" -o stdout "$@" >"$work/pipe" &
	netlog_pid=$!
	wait_for 30 grep -qs start "$received" || fail "nothing is shipped"
	rm "$work/pipe"
	traffic --messages 50
}

listening() { nsenter --net="$ns1" ss -Htln sport = :7777 | grep -q 7777; }

# No new line in a second
quiet() {
	local before
	before=$(count <"$lines")
	sleep 1
	[ "$(count <"$lines")" = "$before" ]
}

grown() { [ "$(count <"$lines")" -ge "$1" ]; }

# With the filter, the lines end when the traffic does. Without it, the same traffic makes more than ten times as
# many, and they go on.
test_a_shipper_that_is_left_out_makes_no_endless_stream() {
	wire_up
	shipped --not-comm=shipper
	tries=0
	until quiet; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || fail "after $tries s, and $(count <"$lines") lines, there are still more"
	done
	alone=$(count <"$lines")
	[ "$alone" -gt 100 ] || fail "only $alone lines of the traffic"
	netlog_stop
	check_books
	equal "lines of the shipper" "$(jq -c 'select(.comm == "shipper")' "$lines" | count)" 0
	wait $receiver
	cmp "$lines" "$received" || fail "not all has been shipped"

	shipped
	wait_for 60 grown $((10 * alone)) || fail "without the filter there are only $(count <"$lines") lines, not $((10 * alone))"
	endless=$(count <"$lines")
	wait_for 30 grown $((endless + alone)) || fail "it ended at $endless lines"
	netlog_stop
	[ "$(jq -c 'select(.comm == "shipper")' "$lines" | count)" -gt $((5 * alone)) ] || fail "they are not the shipper's"
}

run_tests
