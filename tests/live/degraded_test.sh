#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Kernels that lack something or refuse it: netlog's messages, its exit status, and the events that go on. For a
# lack, netlog (and nobody else) sees a copy of the kernel's BTF in which the thing has another name. refuse.so
# makes refusals. Tests of both that need no traffic are in run_test.sh.
. "$(dirname "$0")/lib.sh"

btf=/sys/kernel/btf/vmlinux

# lack NAME...: from now on $netlog runs as on a kernel without these tracepoints and functions
lack() {
	local name script=
	needs_mounts
	for name in "$@"; do
		# the same length: all else in the file is by offset
		script="$script;s/^$name\$/_${name#?}/;s/^btf_trace_$name\$/_tf_trace_$name/"
	done
	LC_ALL=C sed -z "$script" $btf >"$work/btf"
	[ "$(stat -c %s "$work/btf")" = "$(stat -c %s $btf)" ] && ! cmp -s "$work/btf" $btf ||
		fail "no BTF without $*"
	see "$work/btf"
}

# see BTF: from now on $netlog runs where the kernel's BTF is this file, or none if it is none
see() {
	needs_mounts
	cat >"$work/netlog" <<-END
		#!/bin/sh
		exec unshare --mount --propagation private sh -c '
			if [ -e "$1" ]; then
				mount --bind "$1" $btf
			else # where libbpf looks for others
				mount -t tmpfs none /sys/kernel/btf &&
				for other in /boot /lib/modules /usr/lib/modules /usr/lib/debug; do
					[ ! -d \$other ] || mount -t tmpfs none \$other || exit
				done
			fi && exec build/netlog "\$@"' sh "\$@"
	END
	chmod +x "$work/netlog"
	netlog=$work/netlog
}

# as_doctor STATUS FILTER [JSON]: --doctor=json ends so, and what it says passes the jq filter, where that is $all_but
as_doctor() {
	status_of "$netlog" --doctor=json >"$work/findings"
	equal "the doctor's status ($message)" "$status" "$1"
	jq -e --argjson all_but "${3:-[]}" "$2" "$work/findings" >/dev/null || fail "the doctor: $(cat "$work/findings")"
}

# kinds: of event lines, with the stage of latency; transport is not to be had everywhere
kinds() {
	jq -r 'select(has("src_ip") and .stage != "transport" and .proto == "tcp") | .event_type + (if .stage then " " + .stage else "" end)' "$lines" |
		sort -u | tr '\n' ';'
}

# the kinds of lines that the traffic below makes, without those that the pattern matches
kinds_but() {
	printf '%s\n' "latency app" "latency qdisc" "latency tcp" retransmit rtt | grep -vE "$1" | tr '\n' ';'
}

# run: netlog, with traffic that makes each kind of line
run() {
	wire_up --delay-ms 1 --drop-every 10
	over_the_wire "$@"
}

over_the_wire() {
	netlog_start "$@"
	traffic --messages 40 --bytes 2000
	netlog_stop
	check_books
	/usr/bin/python3 tests/live/validate.py build/netlog "$lines" || fail "a line is not valid"
}

said() {
	grep -qF -e "$1" "$work/netlog.log" || fail "\"$1\" is not said: $(cat "$work/netlog.log")"
}

test_a_missing_tracepoint_costs_its_part_only() {
	lack skb_copy_datagram_iovec
	run
	grep -q "this host does not serve all parts: .*app_tcp.*; netlog --doctor says why" "$work/netlog.log" ||
		fail "$(cat "$work/netlog.log")"
	equal "kinds of lines" "$(kinds)" "$(kinds_but app)"
	head -n 1 "$lines" | jq -e --argjson events "$(events_but)" '.events == $events and any(.hooks[];
		.part == "app_tcp" and .hook == "tp_btf/skb_copy_datagram_iovec" and .error == "not in this kernel")' \
		>/dev/null || fail "$(head -n 1 "$lines")"
	lack skb_copy_datagram_iovec skb_consume_udp
	refused 69 "app_tcp of event latency is not served: this kernel has no tp_btf/skb_copy_datagram_iovec" \
		"$netlog" -d 0.1 --latency-stage=app,tcp
	as_doctor 0 'any(.hooks[]; .part == "app_tcp" and .hook == "tp_btf/skb_copy_datagram_iovec" and
		.state == "absent" and (.advice | contains("a newer one")))'
	status_of "$netlog" --doctor >"$work/columns"
	grep -q '^absent   latency app_tcp: tp_btf/skb_copy_datagram_iovec$' "$work/columns" ||
		fail "$(cat "$work/columns")"
}

test_without_a_packets_entry_there_is_no_latency_and_all_else() {
	lack netif_receive_skb
	run
	said "event latency cannot be served on this host"
	equal "kinds of lines" "$(kinds)" "$(kinds_but latency)"
	equal "events" "$(head -n 1 "$lines" | jq -c .events)" "$(events_but latency)"
	refused 69 "event latency cannot be served" "$netlog" -d 0.1 -e latency,rtt
	as_doctor 69 '.events == $all_but and
		any(.hooks[]; .hook == "tp_btf/netif_receive_skb" and .state == "absent")' "$(doctors_events_but latency)"
}

# The best hook of rtt is a function, which the compiler may have made part of another.
test_a_missing_function_is_replaced_by_a_tracepoint() {
	lack tcp_ack_update_rtt
	run -e rtt
	equal "what is said" "$(cat "$work/netlog.log")" "netlog: logging rtt to file:$lines"
	for role in client server; do
		[ "$(events rtt $role 'select(.srtt_us >= 2000)' | count)" -ge 10 ] ||
			fail "few lines of the $role: $(events rtt $role)"
		equal "raw samples of the $role" "$(events rtt $role 'select(has("rtt_us"))' | count)" 0
	done
	as_doctor 0 '[.hooks[] | select(.event == "rtt" and .part == "sample")] |
		.[0].hook == "fexit/tcp_ack_update_rtt" and .[0].state == "absent" and
		(.[0].advice | startswith("nothing: ")) and
		.[1].hook == "tp_btf/tcp_probe" and .[1].state == "ok"'
}

# The kernel gives raw tracepoints also where its BTF does not describe them.
test_a_tracepoint_without_a_type_serves_raw() {
	lack tcp_retransmit_skb
	wire_up --delay-ms 1 --drop-every 10
	witness_start
	over_the_wire -e retransmit
	witness_stop
	equal "what is said" "$(cat "$work/netlog.log")" "netlog: logging retransmit to file:$lines"
	told "segs" "$(events retransmit client .segs | sum)" "$(of client total_retrans)"
	[ "$(of client total_retrans)" -ge 3 ] || fail "no loss"
	as_doctor 0 '[.hooks[] | select(.part == "segment")] | .[0].state == "absent" and
		.[1].hook == "raw_tp/tcp_retransmit_skb" and .[1].state == "ok"'
}

test_where_nothing_is_left_nothing_runs() {
	lack tcp_probe tcp_ack_update_rtt netif_receive_skb
	# those that hang on other hooks than these three
	NETLOG_REFUSE=$(event_types | grep -vxe rtt -e latency | sed 's/$/__/' | paste -sd ,)
	export NETLOG_REFUSE LD_PRELOAD=$PWD/build/refuse.so
	refused 71 "no event can be served on this host; nothing is logged" "$netlog" -d 0.1
	as_doctor 69 '(.events | all(not)) and any(.checks[]; .check == "btf" and .state == "ok") and
		([.hooks[] | select(.state == "absent") | .hook] |
			contains(["tp_btf/tcp_probe", "tp_btf/netif_receive_skb"]))'
}

test_without_btf_it_says_so_and_ends() {
	see "$work/none"
	refused 72 "the kernel has no BTF ($btf)" "$netlog" -d 0.1
	as_doctor 69 'any(.checks[]; .check == "btf" and .state == "absent" and
		(.advice | contains("CONFIG_DEBUG_INFO_BTF")))'
}

test_a_torn_btf_is_not_called_good() {
	for bytes in 0 20 100000; do
		head -c $bytes $btf >"$work/torn"
		see "$work/torn"
		refused 72 "the kernel's BTF ($btf) cannot be read" "$netlog" -d 0.1
		as_doctor 69 'any(.checks[]; .check == "btf" and .state == "refused" and (.advice | length > 0))'
	done
}

test_a_refused_program_costs_its_event_only() {
	export NETLOG_REFUSE=retransmit__
	cat >"$work/netlog" <<-END
		#!/bin/sh
		LD_PRELOAD=build/refuse.so exec build/netlog "\$@"
	END
	chmod +x "$work/netlog"
	netlog=$work/netlog
	run
	said "segment of event retransmit is not served: the kernel refused raw_tp/tcp_retransmit_skb: Operation not permitted"
	said "event retransmit cannot be served on this host"
	equal "kinds of lines" "$(kinds)" "$(kinds_but retransmit)"
	as_doctor 69 '.events == $all_but and
		all(.hooks[] | select(.event == "retransmit"); .state == "refused" and
			.what == "Operation not permitted" and (.advice | contains("policy")))' "$(doctors_events_but retransmit)"
}

run_tests
