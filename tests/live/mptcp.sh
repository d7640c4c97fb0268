# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# mptcp.sh - sourced by tests: connections of MPTCP, and what lines say of them. See mptcp.py.

# mptcp_talk MESSAGES BYTES: over the wire, with a second subflow: the processes' account is $truth
mptcp_talk() {
	nsenter --net="$ns0" ip addr add 10.77.0.11/24 dev wire0 &&
		nsenter --net="$ns0" ip mptcp endpoint add 10.77.0.11 dev wire0 subflow &&
		nsenter --net="$ns0" ip mptcp limits set subflow 1 &&
		nsenter --net="$ns1" ip mptcp limits set subflow 1 || fail "no second subflow"
	timeout 60 /usr/bin/python3 tests/live/mptcp.py "$ns0" "$ns1" "$@" >"$truth" || fail "mptcp.py failed"
}

# row SCENE ROLE MEMBER
row() { jq -r "select(.scene == \"$1\" and .role == \"$2\") | .$3" "$truth"; }

# of_end SCENE ROLE: the lines of that end of the connection
of_end() { jq -c "select(.mptcp_cookie == \"$(row "$1" "$2" cookie)\")" "$lines"; }

# check_owners: each line of MPTCP is of one of the processes' connections, and names that process
check_owners() {
	local scene role kind
	for scene in talk closed; do
		for role in client server; do
			of_end $scene $role >"$work/end"
			# what leaves before the kernel links it with the process's socket: an ACK before accept(2), and a
			# further subflow's SYN
			jq -c 'select(.pid or .stage != "qdisc" or .len_bytes > 0)' "$work/end" >"$work/owned"
			at_least "lines with an owner" "$(count <"$work/owned")" 90 "$(count <"$work/end")"
			equal "owners at the $role, $scene" "$(jq -c '[.pid, .comm]' "$work/owned" | sort -u | xargs)" \
				"[$(row $scene $role pid),m-$role]"
			for kind in rtt tcp qdisc; do
				[ "$(jq "select((.stage // .event_type) == \"$kind\")" "$work/owned" | count)" -gt 0 ] ||
					fail "no $kind line of the $role, $scene"
			done
		done
	done
	equal "lines of no end of ours" "$(jq -c --slurpfile of "$truth" \
		'select(.mptcp_cookie | . and (IN($of[].cookie) | not))' "$lines" | count)" 0
}

# check_app MESSAGES BYTES: each message, of a packet, is told when it is read
check_app() {
	local role
	for role in client server; do
		of_end talk $role | jq -c 'select(.stage == "app")' >"$work/app"
		equal "lengths of packets to the $role" "$(jq .len_bytes "$work/app" | sort | uniq -c | xargs)" "$*"
		equal "ports and directions" "$(jq -c 'select(.src_ip != "10.77.0.11" and .dest_ip != "10.77.0.11") |
			[.src_port, .dest_port, .direction]' "$work/app" | sort -u)" \
			"[$(row talk $role remote_port),$(row talk $role local_port),\"ingress\"]"
		# whose packet it was, is not known any more
		equal "with a subflow's cookie, or without a place" \
			"$(jq 'select(.sock_cookie or .tcp_seq == null)' "$work/app" | count)" 0
	done
	# of many, some are merged into one that has been read in part
	at_least "bytes" "$(of_end closed client | jq 'select(.stage == "app") | .len_bytes' | sum)" 80 100000
}
