#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Addresses where hosts translate them (NAT): all lines of a connection have its socket's, and so filters and
# sampling agree over them; a line of a packet that leaves says what it has on the wire.
. "$(dirname "$0")/lib.sh"
. tests/live/addresses.sh

# beside FILE OPTIONS: a further netlog, which sees the same
beside() {
	"$netlog" -q --output="file:$work/$1" "${ours[@]}" "${@:2}" 2>"$work/$1.log" &
	pids+=($!)
	wait_for 60 started "$work/$1" || fail "$*: $(cat "$work/$1.log")"
}

test_a_connections_lines_have_its_sockets_addresses_by_which_filters_find_them_and_tell_those_on_the_wire() {
	hosts_up
	netlog_start --output="file:$work/port,port=443" --output="file:$work/ports,not-port=8080,53" \
		--output="file:$work/vip,addr=10.99.0.0/24,fd99::/64" --output="file:$work/others,not-addr=10.77.0.3,fd77::3"
	talk 3
	netlog_stop
	check_books
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
	judge told
	judge filtered "$work/port" "443 in (local[1], remote[1])"
	judge filtered "$work/ports" "local[1] not in (8080, 53) and remote[1] not in (8080, 53)"
	judge filtered "$work/vip" "any('99' in ip for ip, _ in (local, remote))"
	judge filtered "$work/others" "all(ip not in ('10.77.0.3', 'fd77::3') for ip, _ in (local, remote))"
}

test_sampling_and_the_filter_of_an_ssh_session_agree_over_a_translated_connection() {
	local pids=()
	hosts_up
	netlog_start
	beside sampled --sample=retransmit=3,rtt=3,latency=3
	SSH_CONNECTION="10.77.0.3 40000 10.77.0.2 8080" beside others --not-port=443
	talk 12
	kill -TERM "${pids[@]}"
	wait "${pids[@]}" || fail "a netlog ended with $?"
	netlog_stop
	judge sampled "$work/sampled"
	judge kept "$work/others" "443 not in (local[1], remote[1]) and ['10.77.0.3', 40000] not in (local, remote)"
}

run_tests
