#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What loads, attaches and is hit on this kernel: a field's misspelt name shows nowhere else.
. "$(dirname "$0")/judge.sh"

test_every_scene_came_to_its_end() {
	cat "$KEPT/failed" "$KEPT"/*/failed 2>/dev/null
	[ -e "$KEPT/release" ] || fail "not all is there"
	equal "scenes that failed" "$(find "$KEPT" -name failed -printf '%P ')" ""
}

test_each_netlog_ended_well_and_its_books_and_lines_are_right() {
	local netlog_of
	for netlog_of in best lower filtered sampled; do
		equal "status of $netlog_of ($(cat "$KEPT/netlog.$netlog_of"))" "$(cat "$KEPT/status.$netlog_of")" 0
		lines_of $netlog_of
		check_books
		/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "$netlog_of: a line is not valid"
	done
}

# Of a part's hooks one is enough; what all events share may be absent, but not refused (162:
# bpf_sock_from_file).
test_each_part_of_each_event_has_a_hook() {
	local netlog_of
	for netlog_of in best lower filtered; do
		lines_of $netlog_of
		head -n 1 "$lines" | jq -r '.hooks | group_by([.event, .part])[] | select(all(.[]; has("error"))) |
			.[] | select(.event != "all" or (.error |
				test("^not in this kernel|invalid func unknown#162") | not)) |
			"# \(.event) \(.part): \(.hook): \(.error)"' >"$work/refused"
		cat "$work/refused"
		equal "$netlog_of: parts without a hook" "$(count <"$work/refused")" 0
		equal "$netlog_of: events" "$(head -n 1 "$lines" | jq -c .events)" "$(events_but)"
	done
}

# The first rungs where they are, and the second where they are refused. Filters make programs large: none may
# be too much for the verifier or the stack.
test_the_hooks_that_serve_are_those_that_should() {
	local hook
	for hook in tp_btf/tcp_retransmit_skb tp_btf/tcp_retransmit_synack fexit/tcp_ack_update_rtt \
		fentry/tcp_v4_rcv fentry/tcp_v6_rcv fentry/udp_rcv fentry/udpv6_rcv fentry/skb_consume_udp \
		tp_btf/net_dev_start_xmit tp_btf/skb_copy_datagram_iovec; do
		serves best $hook
		serves filtered $hook
	done
	for hook in raw_tp/tcp_retransmit_skb raw_tp/tcp_retransmit_synack tp_btf/inet_sock_set_state \
		kprobe/tcp_v4_rcv kprobe/tcp_v6_rcv kprobe/udp_rcv kprobe/udpv6_rcv kprobe/skb_consume_udp; do
		serves lower $hook
	done
	head -n 1 "$KEPT/lines.lower" | jq -e 'any(.hooks[]; .event == "rtt" and .hook == "tp_btf/tcp_probe" and
		(has("error") | not))' >/dev/null || fail "rtt: $(head -n 1 "$KEPT/lines.lower")"
}

# hits NETLOG: how often the kernel has run each of its programs, by its own count
hits() {
	jq -r '.[] | "\(.id) \(.name)"' "$KEPT/programs" >"$work/names"
	awk '/^prog_id:/ { id = $2 } /^run_cnt:/ && id { print id, $2; id = 0 }' "$KEPT/programs.$1" | sort -u |
		awk 'FNR == NR { name[$1] = $2; next } { print $2, name[$1] }' "$work/names" -
}

# A program may be attached and yet never run. For each part that the start line names: lines of its
# kind; for those that make none (a packet's entry), and all others: the kernel's own count.
test_each_hook_that_is_attached_is_hit() {
	local netlog_of version
	for netlog_of in best lower; do
		lines_of $netlog_of
		hits $netlog_of >"$work/hits"
		[ "$(count <"$work/hits")" -ge 15 ] || fail "$netlog_of: few programs: $(xargs <"$work/hits")"
		equal "$netlog_of: programs that never ran" "$(grep '^0 ' "$work/hits" | xargs)" ""
		# of latency's parts, each stage's name comes first: transport_tcp6
		head -n 1 "$lines" | jq -r '.hooks[] | select((has("error") | not) and .event != "all") |
			"\(.event) \(.part)"' | sed 's/^\(latency [a-z]*\)_\([a-z]*\)6\{0,1\}$/\1 \2/' |
			sort -u | grep -Ev '^latency (entry|drop( queued)?)$' >"$work/parts"
		[ -s "$work/parts" ] || fail "no hooks: $(head -n 1 "$lines")"
		for version in 4 6; do
			jq -r "select(.ip_version == $version) | .event_type + \" \" +
				if .event_type == \"rtt\" then \"sample\"
				elif .retrans_type == \"synack\" then \"synack\"
				elif .event_type == \"retransmit\" then \"segment\"
				elif .stage == \"app\" or .stage == \"transport\" then .stage + \" \" + .proto
				else .stage end" "$lines" | sort -u >"$work/seen"
			equal "$netlog_of, IPv$version: parts without a line" \
				"$(comm -23 "$work/parts" "$work/seen" | xargs)" ""
		done
	done
}

# A load that faults in a program with functions is a panic where the kernel has no table for it. The truth is
# what the kernel runs, not what it was given: `loads` has copied that out of it.
test_no_program_with_functions_has_a_load_that_cannot_be_mended() {
	local netlog_of
	for netlog_of in best lower filtered; do
		[ ! -e "$KEPT/loads.$netlog_of.failed" ] || fail "$(cat "$KEPT/loads.$netlog_of.failed")"
		awk 'NR > 1 { functions += $3 > 1; mended += $4; table += $5 && $3 > 1; programs++ }
			END { print "# '$netlog_of':", programs, "programs,", functions, "with functions, of which",
				table, "have a table;", mended, "mended loads" }' "$KEPT/loads.$netlog_of"
		[ "$(count <"$KEPT/loads.$netlog_of")" -gt 5 ] || fail "$netlog_of: few programs"
		equal "$netlog_of: loads that cannot be mended" \
			"$(/usr/bin/python3 tests/live/loads.py "$KEPT/loads.$netlog_of" mended)" ""
		equal "$netlog_of: pointers that are not asked for" \
			"$(/usr/bin/python3 tests/live/loads.py "$KEPT/loads.$netlog_of" asked)" ""
	done
}

# Where faults cannot be mended the start line says so, and why; where they can, it says nothing.
test_the_start_line_tells_of_a_kernel_that_cannot_mend_faults() {
	local caution
	lines_of best
	caution=$(head -n 1 "$lines" | jq -r '.caution // ""')
	case $(cat "$KEPT/release") in
	5.10.*) [[ $caution == *"would panic"* ]] || fail "caution: $caution" ;;
	*) equal "caution" "$caution" "" ;;
	esac
}

# bpf/arguments.h against this kernel's BTF: each argument's place and type.
test_each_hooks_arguments_are_where_the_table_says() {
	/usr/bin/python3 tests/vm/arguments.py bpf/arguments.h "$KEPT/btf" >"$work/arguments" ||
		fail "$(cat "$work/arguments")"
	grep '^#' "$work/arguments"
	equal "arguments that are not so" "$(grep -v '^#' "$work/arguments")" ""
}

# Names are told by the kernel's numbers, which are the same in all kernels so far: those of an enumeration
# that is not so would have to come from BTF at run time. NUMBER NAME, as the schema has them.
schema_values() { # TABLE
	sed -n "/^#define $1(V)/,/^\$/s/.*V(\([0-9]*\), \([a-z_0-9]*\)).*/\1 \2/p" bpf/events.h
}

kernel_values() { # PREFIX
	sed -n "s/^[[:space:]]*'$1\([A-Za-z_0-9]*\)' val=\([0-9]*\)\$/\2 \1/p" "$work/btf"
}

test_enumerations_have_this_kernels_numbers() {
	local number name names
	bpftool btf dump file "$KEPT/btf" format raw >"$work/btf" || fail "no BTF"
	kernel_values TCP_CA_ | tr '[:upper:]' '[:lower:]' | sort -u >"$work/kernel"
	schema_values CA_STATE_VALUES | sort >"$work/ours"
	equal "tcp_ca_state" "$(cat "$work/ours")" "$(cat "$work/kernel")"
	kernel_values TCP_ >"$work/kernel"
	[ "$(schema_values TCP_STATE_VALUES | count)" = 13 ] || fail "no states: $(cat bpf/events.h)"
	# as RFC 9293 calls them
	schema_values TCP_STATE_VALUES | while read -r number name; do
		case $name in
		syn_received) names="SYN_RECV NEW_SYN_RECV" ;;
		closed) names="CLOSE BOUND_INACTIVE" ;; # the latter from 6.8 on
		fin_wait_1) names=FIN_WAIT1 ;;
		fin_wait_2) names=FIN_WAIT2 ;;
		*) names=${name^^} ;;
		esac
		for name in $names; do
			grep -qx "$number $name" "$work/kernel" && continue 2
		done
		[ "$number" = 13 ] || echo "$number is none of $names"
	done >"$work/wrong"
	equal "states by other numbers" "$(cat "$work/wrong")" ""
}

run_tests
