#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What loads and attaches on this kernel: a field's misspelt name shows nowhere else.
. "$(dirname "$0")/../live/lib.sh"

test_each_part_of_each_event_has_a_hook() {
	status_of timeout 60 "$netlog" -d 0.1 -o "file:$work/lines"
	equal "exit status ($message)" "$status" 0
	# of a part's hooks one is enough; what all events share may be absent, but not refused (162: bpf_sock_from_file)
	head -n 1 "$work/lines" | jq -r '.hooks | group_by([.event, .part])[] | select(all(.[]; has("error"))) |
		.[] | select(.event != "all" or (.error |
			test("^not in this kernel|invalid func unknown#162") | not)) | "# \(.event) \(.part): \(.hook): \(.error)"' >"$work/refused"
	cat "$work/refused"
	equal "parts without a hook" "$(count <"$work/refused")" 0
	equal "events" "$(head -n 1 "$work/lines" | jq -c .events)" '["retransmit","rtt","latency"]'
}

# Names are told by the kernel's numbers, which are the same in all kernels so far: those of an enumeration
# that is not so would have to come from BTF at run time. NUMBER NAME, as the schema has them.
schema_values() { # TABLE
	sed -n "/^#define $1(V)/,/^\$/s/.*V(\([0-9]*\), \([a-z_0-9]*\)).*/\1 \2/p" bpf/events.h
}

kernel_values() { # PREFIX
	bpftool btf dump file /sys/kernel/btf/vmlinux format raw |
		sed -n "s/^[[:space:]]*'$1\([A-Za-z_0-9]*\)' val=\([0-9]*\)\$/\2 \1/p"
}

test_enumerations_have_this_kernels_numbers() {
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
