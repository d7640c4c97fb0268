#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A veth pair with netem's delay on both sides, and loss where packets come in: what a program that
# has been loaded and attached really sees on this kernel. Wants sch_netem, so it runs in the VMs.
. "$(dirname "$0")/../live/lib.sh"

# namespace_make: a namespace that ends with the process $holder in it
namespace_make() {
	unshare --net sleep 600 &
	holder=$!
	entered() { [ "$(readlink /proc/"$holder"/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
	wait_for 10 entered || fail "no namespace"
}

# veth_up DELAY_MS: like wire_up, with veth0 in $ns0 and veth1 in $ns1
veth_up() {
	local delay=$1 end=0 pid
	namespace_make && ns0=/proc/$holder/ns/net
	local pids=$holder
	namespace_make && ns1=/proc/$holder/ns/net
	pids="$pids $holder"
	# shellcheck disable=SC2086 # two words
	set -- $pids
	ip link add veth0 netns "$1" type veth peer name veth1 netns "$2" || fail "no veth"
	for pid in "$@"; do
		nsenter --net=/proc/"$pid"/ns/net sh -ec "
			ip link set lo up
			ip addr add 10.77.0.$((end + 1))/24 dev veth$end
			ip addr add fd77::$((end + 1))/64 dev veth$end nodad
			ip link set veth$end up
			tc qdisc add dev veth$end root netem delay ${delay}ms limit 10000" || fail "no netem"
		end=$((end + 1))
	done
}

# drop_at NAMESPACE RULE: what comes in and fits, before TCP sees it. TCP is told what the sender's own
# side drops, and would not call it lost.
drop_at() {
	nsenter --net="$1" nft -f - <<-END || fail "no nft: $2"
		table inet loss {
			chain prerouting {
				type filter hook prerouting priority -300;
				$2 drop
			}
		}
	END
}

# One in twenty, of those with payload, that the server receives
lossy_veth_up() {
	veth_up 5
	drop_at "$ns1" "meta l4proto tcp meta length > 100 numgen inc mod 20 0"
}

test_segs_sum_up_to_total_retrans_with_netem() {
	lossy_veth_up
	netlog_start --events=retransmit
	traffic_both --bytes 1500000
	netlog_stop
	check_books
	for family in 4 6; do
		truth=$work/truth.$family
		[ "$(of client total_retrans)" -ge 10 ] || fail "no loss: $(cat "$truth")"
		equal "segs over IPv$family" \
			"$(($(events retransmit client .segs | sum) + $(missed retransmit)))" \
			"$(of client total_retrans)"
	done
}

# An emulated CPU adds one to three ms of its own, so the delay is long.
test_srtt_is_netems_delay() {
	veth_up 25
	netlog_start --events=rtt
	# more than a segment is acknowledged at once, not when the application answers
	traffic_both --messages 40 --bytes 8000 --reply 8000
	netlog_stop
	check_books
	for family in 4 6; do
		truth=$work/truth.$family
		for role in client server; do
			events rtt $role .srtt_us >"$work/srtt"
			at_least "IPv$family $role, samples" "$(count <"$work/srtt")" 80 40
			within "median srtt_us of the $role over IPv$family" "$(median <"$work/srtt")" 45000 55000
		done
	done
}

test_each_stage_has_its_latency_with_netem() {
	veth_up 5
	netlog_start --events=latency
	traffic_both --messages 50 --bytes 100 --reply 100
	netlog_stop
	check_books
	for family in 4 6; do
		truth=$work/truth.$family
		for role in client server; do
			events latency $role '[.stage, .latency_ns]' >"$work/stages"
			# the handshake's and the end's packets are not in the established state
			within "IPv$family $role, packets at stage tcp" "$(grep -c '"tcp"' "$work/stages")" \
				$(($(of $role segs_in) - 5)) "$(of $role segs_in)"
			at_least "IPv$family $role, messages at stage app" \
				"$(grep -c '"app"' "$work/stages")" 99 50
			# netem's delay is not this host's
			within "IPv$family $role, median latency_ns" \
				"$(jq '.[1]' "$work/stages" | median)" 1 4999999
		done
	done
}

# hits: how often the kernel has run each program of netlog's, by its own count
hits() {
	cat /proc/"$netlog_pid"/fdinfo/* | awk '/^prog_id:/ { id = $2 } /^run_cnt:/ && id { print id, $2; id = 0 }' |
		sort -u | while read -r id runs; do
		echo "$runs $(bpftool prog show id "$id" | sed -n '1s/.* name \([^ ]*\).*/\1/p')"
	done
}

# A program may be attached and yet never run. For each hook that the start line names: lines of its
# kind; for those that make none, and all others: the kernel's own count.
test_each_hook_that_is_attached_is_hit() {
	lossy_veth_up
	# the first SYN-ACK of each family
	drop_at "$ns0" "tcp flags & (syn | ack) == syn | ack ip version 4 numgen inc mod 1000 0 drop
		tcp flags & (syn | ack) == syn | ack ip6 version 6 numgen inc mod 1000 0"
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	netlog_start
	for family in 4 6; do
		traffic --family $family --bytes 300000 --messages 2
	done
	hits >"$work/hits"
	netlog_stop
	[ -s "$work/hits" ] || fail "the kernel tells of no program"
	equal "programs that never ran" "$(grep '^0 ' "$work/hits" | xargs)" ""
	for version in 4 6; do
		jq -r "select(.ip_version == $version) | if .event_type == \"latency\" then \"latency \" + .stage
			elif .event_type == \"rtt\" then \"rtt sample\"
			elif .retrans_type == \"synack\" then \"retransmit synack\"
			else \"retransmit segment\" end" "$lines" | sort | uniq -c >"$work/seen"
		for kind in "retransmit segment" "retransmit synack" "rtt sample" "latency tcp" "latency app"; do
			grep -q " $kind\$" "$work/seen" || echo "$kind"
		done >"$work/unseen"
		equal "IPv$version, hooks without a line ($(xargs <"$work/seen"))" "$(xargs <"$work/unseen")" ""
	done
}

run_tests
