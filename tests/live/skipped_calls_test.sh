#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Calls that the kernel does not make: lines and lost together are TCP's own count, TcpRetransSegs of the
# namespaces, whichever calls are skipped. Here they are skipped by not being attached (hold.so.c).
#
# first: it waits for two minutes, for timeouts of TCP
. "$(dirname "$0")/lib.sh"

type_of() { # TRACEPOINT: the number of its type, by which a typed program names it
	[ -s "$work/types" ] || bpftool btf dump file /sys/kernel/btf/vmlinux format raw | grep "TYPEDEF 'btf_trace_" >"$work/types"
	sed -n "s/^\[\([0-9]*\)\] TYPEDEF 'btf_trace_$1'.*/\1/p" "$work/types"
}

# held_start TRACEPOINT... -- OPTIONS: netlog, whose programs of event retransmit there are not attached
held_start() {
	local hold=
	while [ "$1" != -- ]; do
		hold=$hold,retransmit/$1=$(type_of "$1")
		shift
	done
	shift
	: >"$work/held"
	LD_PRELOAD=${LD_PRELOAD:+$LD_PRELOAD:}build/hold.so NETLOG_HOLD=${hold#,} NETLOG_HELD=$work/held \
		netlog_start --events=retransmit "$@"
	equal "programs held" "$(count <"$work/held")" "$(tr , '\n' <<<"${hold#,}" | count)"
}

# attach TRACEPOINT: from now on its calls reach netlog; detach: no more
attach() {
	: >"$work/attached"
	build/attach "$1" "$(awk -v name="$1" '$1 == name { print $2 }' "$work/held")" >"$work/attached" &
	attach_pid=$!
	wait_for 10 grep -qs ready "$work/attached" || fail "$1 is not attached"
}

detach() {
	kill "$attach_pid"
	wait "$attach_pid"
}

# drop N RULE: the first N packets that fit are lost, as they come in at the server
drop() {
	nsenter --net="$ns1" nft "table inet loss$1 { chain in { type filter hook prerouting priority -300;
		$2 numgen inc mod 1000000 0-$(($1 - 1)) drop; }; }" || fail "no nft"
}

# life STEP...: see skipped_calls.py
life() {
	rm -f "$work/listening"
	timeout 120 /usr/bin/python3 tests/live/skipped_calls.py "$ns0" "$ns1" "$work/listening" "$@" >"$work/truth" ||
		fail "the socket's life: $*"
}

# in_books LEAST: lines and lost are what TCP has counted, which is at least that
in_books() {
	local truth
	netlog_stop
	check_books
	all_told
	truth=$(($(retrans_segs) - retrans_before))
	echo "# lines: $(segs_told), lost: $(missed retransmit)"
	[ "$truth" -ge "$1" ] || fail "TCP counts $truth, wanted $1"
}

data="tcp dport 7100 tcp flags & (syn | fin) == 0 meta length > 80"
syn="tcp dport 7100 tcp flags & (syn | ack) == syn"

test_syns_of_which_no_call_was_made_are_lost() {
	wire_up
	drop 3 "$syn"
	held_start tcp_retransmit_skb --
	life connect:7100 close
	in_books 3
	equal "lost" "$(missed retransmit)" 3
}

# The last call of a connection is skipped, and the attempt fails.
test_a_connection_that_comes_to_nothing_is_counted_to_its_last_syn() {
	wire_up
	nsenter --net="$ns0" sh -c 'echo 2 >/proc/sys/net/ipv4/tcp_syn_retries'
	drop 1000 "$syn"
	held_start tcp_retransmit_skb --
	attach tcp_retransmit_skb
	one_line() { [ "$(segs_told)" = 1 ]; }
	life refused:7100 close &
	life_pid=$!
	wait_for 20 one_line || fail "no line of the first"
	detach
	wait $life_pid || exit 1
	in_books 2
	[ "$(segs_told)" -ge 1 ] && [ "$(missed retransmit)" -ge 1 ] || fail "not both"
}

test_calls_in_the_middle_and_at_the_end_are_counted() {
	wire_up --delay-ms 2 --drop-every 10
	held_start tcp_retransmit_skb --
	attach tcp_retransmit_skb
	life connect:7100 send:100000 acked touch:"$work/a" wait:"$work/b" send:100000 acked touch:"$work/c" \
		wait:"$work/d" send:100000 acked touch:"$work/e" wait:"$work/f" send:100000 acked half close &
	life_pid=$!
	wait_for 60 test -e "$work/a" || fail "no first part"
	detach
	touch "$work/b"
	wait_for 60 test -e "$work/c" || fail "no second part"
	attach tcp_retransmit_skb
	touch "$work/d"
	wait_for 60 test -e "$work/e" || fail "no third part"
	detach
	touch "$work/f"
	wait $life_pid || exit 1
	in_books 20
	[ "$(missed retransmit)" -ge 10 ] && [ "$(segs_told)" -ge 10 ] || fail "not both"
}

# Its end is seen twice: when its state becomes CLOSE, and when the socket goes.
test_a_call_is_counted_though_the_connections_end_is_skipped_too() {
	for end in inet_sock_set_state tcp_destroy_sock; do
		wire_up
		drop 2 "$data"
		held_start tcp_retransmit_skb "$end" --
		[ $end = tcp_destroy_sock ] || attach $end # the beginning is seen
		life connect:7100 touch:"$work/a" wait:"$work/b" send:100 acked half close &
		life_pid=$!
		wait_for 60 test -e "$work/a" || fail "not connected"
		[ $end = tcp_destroy_sock ] || detach
		touch "$work/b"
		wait $life_pid || exit 1
		in_books 2
		wire_down
		rm "$work/a" "$work/b"
	done
}

# Its requests' SYN-ACKs are in what TCP counts of an accepted connection.
test_synacks_of_which_no_call_was_made_are_lost_when_there_is_a_connection() {
	for seen in none first; do
		wire_up --drop-synack 5
		held_start tcp_retransmit_synack --
		if [ $seen = first ]; then
			attach tcp_retransmit_synack
			one_line() { grep -q '"retrans_type":"synack"' "$lines"; }
			life connect:7100 half close &
			life_pid=$!
			wait_for 20 one_line || fail "no line of the first"
			detach
			wait $life_pid || exit 1
		else
			life connect:7100 half close
		fi
		in_books 5
		[ "$(missed retransmit)" -ge 1 ] || fail "nothing lost"
		wire_down
	done
}

test_synacks_that_were_told_are_not_lost_once_more() {
	wire_up --drop-synack 2
	held_start tcp_retransmit_skb --
	life connect:7100 half close
	in_books 2
	equal "lines of SYN-ACKs" "$(jq -c 'select(.retrans_type == "synack")' "$lines" | count)" \
		$(($(retrans_segs) - retrans_before - $(missed retransmit)))
	[ "$(jq -c 'select(.retrans_type == "synack")' "$lines" | count)" -ge 2 ] || fail "SYN-ACKs: $(cat "$lines")"
}

# The request is younger than netlog, and the call that is made is not its first.
test_skipped_synacks_are_lost_at_the_next_one() {
	wire_up --drop-synack 100
	nsenter --net="$ns1" sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_synack_retries'
	nsenter --net="$ns0" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_syn_retries'
	held_start tcp_retransmit_synack --
	synacks() { [ "$(nsenter --net="$ns1" nstat -asz TcpRetransSegs | awk '/RetransSegs/ { print $2 }')" -ge "$1" ]; }
	life refused:7100 close wait:"$work/done" &
	life_pid=$!
	wait_for 20 synacks 1 || fail "no SYN-ACK was sent again"
	attach tcp_retransmit_synack
	wait_for 40 synacks 3 || fail "SYN-ACKs were not sent again"
	touch "$work/done"
	wait $life_pid || exit 1
	in_books 3
	[ "$(missed retransmit)" -ge 1 ] || fail "nothing lost"
}

# Its SYN-ACK is the connection's own, which TCP counts as its own.
test_fast_opens_synacks_are_the_connections() {
	for held in tcp_retransmit_synack tcp_retransmit_skb; do
		wire_up
		for ns in "$ns0" "$ns1"; do
			nsenter --net="$ns" sh -c 'echo 0x607 >/proc/sys/net/ipv4/tcp_fastopen' # without cookies
		done
		nsenter --net="$ns0" nft 'table inet loss { chain in { type filter hook prerouting priority -300;
			tcp sport 7100 tcp flags & (syn | ack) == (syn | ack) numgen inc mod 1000 0-1 drop; }; }'
		held_start $held --
		life fastopen:7100 send:100 acked half close
		in_books 2
		[ "$(nsenter --net="$ns1" nstat -asz TcpExtTCPFastOpenPassive | awk '/Passive/ { print $2 }')" = 1 ] ||
			fail "it was no Fast Open"
		wire_down
	done
}

# A clone has a copy of all that is remembered of its listener, which was a connection itself.
test_a_listener_that_was_a_connection_hands_nothing_down() {
	wire_up --delay-ms 1
	nsenter --net="$ns0" nft "table inet loss { chain in { type filter hook prerouting priority -300;
		tcp sport 7200 meta length > 200 numgen inc mod 2 0 drop; }; }"
	drop 2 "$syn"
	held_start tcp_retransmit_skb --
	timeout 60 /usr/bin/python3 tests/live/again.py "$ns0" "$ns1" >"$work/truth" || fail "again.py failed"
	in_books 1
}

test_a_socket_older_than_netlog_is_counted_from_netlogs_start_on() {
	wire_up --delay-ms 1 --drop-every 10
	life connect:7100 send:100000 acked touch:"$work/a" wait:"$work/b" send:100000 acked half close &
	life_pid=$!
	wait_for 60 test -e "$work/a" || fail "no first part"
	held_start tcp_retransmit_skb --
	touch "$work/b"
	wait $life_pid || exit 1
	in_books 5
}

test_a_connection_that_goes_to_time_wait_is_counted_with_its_fin() {
	wire_up
	drop 2 "tcp dport 7100 tcp flags & fin == fin"
	held_start tcp_retransmit_skb --
	life connect:7100 half close
	in_books 2
	nsenter --net="$ns0" ss -tanH | grep -q TIME-WAIT || fail "no TIME-WAIT"
}

# The process has gone, and TCP still sends.
test_an_orphan_is_counted_to_its_end() {
	wire_up
	drop 2 "tcp dport 7100 tcp flags & fin == fin"
	held_start tcp_retransmit_skb --
	life connect:7100 close ended
	in_books 2
}

test_a_repaired_connection_is_counted() {
	wire_up --delay-ms 1
	held_start tcp_retransmit_skb --
	drop 2 "$data"
	life connect:7100 repair:1 repair:0 send:100 acked half close
	in_books 2
}

# The first connection's SYNs are lost, the socket is taken back by connect(AF_UNSPEC), and connects again.
test_a_count_that_starts_anew_makes_no_nonsense() {
	wire_up
	drop 3 "$syn"
	held_start tcp_retransmit_skb --
	[ "${1:-}" = held ] || attach tcp_retransmit_skb
	life connect:7100 say disconnect drop:7101 connect:7101 close
	in_books 4
	[ "${1:-}" = held ] || equal "lost" "$(missed retransmit)" 0
}

test_a_count_that_starts_anew_is_counted_though_no_call_is_made() {
	test_a_count_that_starts_anew_makes_no_nonsense held
}

# tcp_disconnect() sets the count to 0; that neither the end nor the beginning was seen makes it go backwards.
test_a_count_that_went_backwards_is_refused_and_said() {
	wire_up
	drop 3 "$syn"
	held_start inet_sock_set_state tcp_destroy_sock --
	life bind connect:7100 say disconnect drop:7100 connect:7100 half close
	netlog_stop
	check_books
	equal "more lost than TCP has counted" "$(($(missed retransmit) > $(retrans_segs)))" 0
	grep -q "a count of the kernel's went backwards" "$work/netlog.log" || fail "$(cat "$work/netlog.log")"
}

test_what_could_not_be_sent_is_in_the_books() {
	wire_up
	drop 1 "$data"
	held_start tcp_retransmit_skb --
	attach tcp_retransmit_skb
	life connect:7100 send:100 nobody retrans:2 everybody acked half close
	in_books 2
}

# Here nothing is held: the calls are skipped as the kernel does. Each connection's first SYN, SYN-ACK and FIN are
# lost.
test_of_500_connections_each_retransmit_is_in_a_line_or_lost() {
	local seen="type inet_service; size 65535; flags dynamic"
	wire_up
	nsenter --net="$ns1" nft "table inet loss { set syns { $seen; }; set fins { $seen; };
		chain in { type filter hook prerouting priority -300;
			tcp flags & syn == syn tcp sport != @syns add @syns { tcp sport } drop;
			tcp flags & fin == fin tcp sport != @fins add @fins { tcp sport } drop; }; }" || fail "no nft"
	nsenter --net="$ns0" nft "table inet loss { set synacks { $seen; };
		chain in { type filter hook prerouting priority -300;
			tcp flags & syn == syn tcp dport != @synacks add @synacks { tcp dport } drop; }; }" || fail "no nft"
	netlog_start --events=retransmit
	life crowd:500
	in_books 1500
}

# More than are remembered. What was told of those that are forgotten is not lost.
test_retransmits_of_a_flood_of_requests_are_not_lost_because_they_are_forgotten() {
	wire_up
	nsenter --net="$ns1" sh -c 'cd /proc/sys/net; echo 0 >ipv4/tcp_syncookies; echo 2 >ipv4/tcp_synack_retries
		echo 200000 >ipv4/tcp_max_syn_backlog; echo 100000 >core/somaxconn'
	netlog_start --events=retransmit --ring-size=16MiB
	timeout 100 /usr/bin/python3 tests/live/requests.py "$ns0" "$ns1" 24000 || fail "no flood"
	truth=$(($(retrans_segs) - retrans_before)) # more may be sent while netlog ends
	netlog_stop
	check_books
	echo "# lines: $(segs_told), lost: $(missed retransmit), of $truth"
	[ "$truth" -ge 40000 ] || fail "no flood: only $truth"
	at_least "SYN-ACKs in lines" "$(segs_told)" 99 "$truth"
	[ $(($(segs_told) + $(missed retransmit))) -le $(($(retrans_segs) - retrans_before)) ] ||
		fail "more lost than there were"
}

# Raw tracepoints know sockets by their address alone.
test_the_same_holds_where_typed_tracepoints_are_refused() {
	export LD_PRELOAD=build/refuse.so NETLOG_REFUSE=tp_btf/retransmit
	# nothing tells these of sockets that were there before
	for name in $(declare -F | awk '$3 ~ /^test_/ { print $3 }' | grep -v -e "${FUNCNAME[0]}" -e older_than_netlog -e a_flood); do
		echo "# ${name#test_}"
		(
			work=$work/$name
			mkdir "$work"
			trap at_exit_of_test EXIT
			"$name"
		) || exit 1
	done
}

run_tests
