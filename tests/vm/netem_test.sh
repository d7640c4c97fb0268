#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two hosts with netem's delay on both sides, and loss where packets come in: what a program that has
# been loaded and attached really sees on this kernel. They are joined by a veth pair, and once more by
# two virtio NICs, whose packets come in by lists (GRO, netif_receive_skb_list_internal()): ip_rcv() never
# sees these. Wants sch_netem and the NICs, so it runs in the VMs.
. "$(dirname "$0")/../live/lib.sh"

kinds="veth virtio"

# namespace_make: a namespace that ends with the process $holder in it
namespace_make() {
	unshare --net sleep 600 &
	holder=$!
	entered() { [ "$(readlink /proc/"$holder"/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
	wait_for 10 entered || fail "no namespace"
}

# The NICs' names; a NIC comes back here when the namespace that it is in ends.
nics() {
	local driver device
	for driver in /sys/class/net/*/device/driver; do
		device=${driver#/sys/class/net/}
		[ "$(basename "$(readlink "$driver")")" != virtio_net ] || echo "${device%%/*}"
	done
}
both_nics() { [ "$(nics | count)" = 2 ]; }

# pair_up KIND DELAY_MS: two hosts joined so; join KIND makes $ns0 and $ns1 theirs
pair_up() {
	local kind=$1 delay=$2 end=0 device pids
	namespace_make && pids=$holder
	namespace_make && pids="$pids $holder"
	echo "$pids" >"$work/hosts.$kind"
	# shellcheck disable=SC2086 # two words
	set -- $pids
	if [ "$kind" = veth ]; then
		ip link add veth0 netns "$1" type veth peer name veth1 netns "$2" || fail "no veth"
	else
		wait_for 20 both_nics || fail "NICs: $(nics | xargs)"
		for device in $(nics | sort); do
			ip link set "$device" netns "$1" && nsenter --net=/proc/"$1"/ns/net \
				ip link set "$device" name "$kind$end" || fail "$device stays"
			end=1
			shift
		done
		# shellcheck disable=SC2086
		set -- $pids
	fi
	end=0
	for pid in "$@"; do
		nsenter --net=/proc/"$pid"/ns/net sh -ec "
			ip link set lo up
			ip addr add 10.77.0.$((end + 1))/24 dev $kind$end
			ip addr add fd77::$((end + 1))/64 dev $kind$end nodad
			ip link set $kind$end up
			tc qdisc add dev $kind$end root netem delay ${delay}ms limit 10000" || fail "no netem"
		end=$((end + 1))
	done
	join "$kind"
}

join() {
	local pid0 pid1
	read -r pid0 pid1 <"$work/hosts.$1"
	ns0=/proc/$pid0/ns/net ns1=/proc/$pid1/ns/net
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
lossy_pair_up() {
	pair_up "$1" 5
	drop_at "$ns1" "meta l4proto tcp meta length > 100 numgen inc mod 20 0"
}

# traffic_each OPTIONS: over each kind of pair and both families; the accounts are $work/truth.KIND.FAMILY
traffic_each() {
	local kind family
	for kind in $kinds; do
		join "$kind"
		traffic_both "$@"
		for family in 4 6; do
			mv "$work/truth.$family" "$work/truth.$kind.$family"
		done
	done
}

# An emulated CPU adds milliseconds of its own to the delay: what TCP_INFO said after each message is the
# truth, and the delay a lower bound.
test_segs_and_srtt_are_those_of_tcp_info_with_delay_and_loss() {
	for kind in $kinds; do
		lossy_pair_up $kind
	done
	netlog_start --events=retransmit,rtt
	# more than a segment is acknowledged at once, not when the application answers
	traffic_each --messages 40 --bytes 8000 --reply 8000 --times
	netlog_stop
	check_books
	for truth in "$work"/truth.*.[46]; do
		what=${truth##*truth.}
		[ "$(of client total_retrans)" -ge 5 ] || fail "$what: no loss: $(cat "$truth")"
		told "$what: segs" "$(events retransmit client .segs | sum)" "$(of client total_retrans)"
		for role in client server; do
			events rtt $role .srtt_us >"$work/srtt"
			jq "select(.role == \"$role\" and has(\"message\")) | .srtt_us" "$truth" >"$work/true"
			at_least "$what $role, samples" "$(count <"$work/srtt")" 80 40
			true=$(median <"$work/true")
			within "$what $role, median srtt_us, TCP_INFO $true" "$(median <"$work/srtt")" \
				$((true * 9 / 10)) $((true * 11 / 10))
			[ "$(median <"$work/srtt")" -ge 10000 ] || fail "$what $role: faster than the wire"
		done
	done
}

# count_in NAMESPACE: from now on, by nft: what comes in of TCP and UDP, right before it is handed to them
count_in() {
	nsenter --net="$1" nft -f - <<-END || fail "no nft"
		table inet truth {
			chain input {
				type filter hook input priority 300;
				meta nfproto ipv4 meta l4proto tcp counter
				meta nfproto ipv4 meta l4proto udp counter
				meta nfproto ipv6 meta l4proto tcp counter
				meta nfproto ipv6 meta l4proto udp counter
			}
		}
	END
}

# counted_in NAMESPACE: lines "VERSION PROTO PACKETS"
counted_in() {
	nsenter --net="$1" nft list chain inet truth input |
		sed -n 's/.*ipv\([46]\) .*l4proto \(...\) counter packets \([0-9]*\) .*/\1 \2 \3/p'
}

# covers WHAT LINES TRUE: each one has its line, but for calls that are told as missed
covers() {
	[ "$2" -le "$3" ] && [ $(($2 + $(missed latency))) -ge "$3" ] ||
		fail "$1: $2 lines, not $3 ($(missed latency) missed)"
}

stage_has_hook() {
	head -n 1 "$lines" | jq -e --arg stage "$1" 'any(.hooks[]; .event == "latency" and
		(.part | startswith($stage)) and (has("error") | not))' >/dev/null
}

test_each_stage_has_the_packets_that_it_should() {
	for kind in $kinds; do
		pair_up $kind 5
		count_in "$ns0"
		count_in "$ns1"
	done
	netlog_start --events=latency
	traffic_each --messages 50 --bytes 100 --reply 100
	for kind in $kinds; do
		join $kind
		for family in 4 6; do
			datagrams --family $family --messages 50 --bytes 100
			mv "$truth" "$work/udp.$kind.$family"
		done
		counted_in "$ns0" >"$work/counted.$kind.client"
		counted_in "$ns1" >"$work/counted.$kind.server"
	done
	netlog_stop
	check_books
	for truth in "$work"/truth.*.[46]; do
		for role in client server; do
			what="${truth##*truth.} $role"
			events latency $role 'select(.direction == "ingress") | [.stage, .latency_ns]' >"$work/stages"
			# the handshake's and the end's packets are not in the established state
			within "$what, packets at stage tcp" "$(grep -c '"tcp"' "$work/stages")" \
				$(($(of $role segs_in) - 5)) "$(of $role segs_in)"
			covers "$what, messages at stage app" "$(grep -c '"app"' "$work/stages")" 50
			# netem's delay is not this host's
			within "$what, median latency_ns" "$(jq '.[1]' "$work/stages" | median)" 1 4999999
			# outwards it is: what is sent waits in netem
			[ "$(events latency $role 'select(.stage == "qdisc") | .latency_ns' | median)" -ge 5000000 ] ||
				fail "$what: out of netem before its time"
			at_least "$what, packets at stage qdisc" \
				"$(events latency $role 'select(.stage == "qdisc")' | count)" 100 "$(of $role segs_out)"
		done
	done
	stage_has_hook transport || fail "no hook: $(head -n 1 "$lines")"
	for truth in "$work"/udp.*.[46]; do
		for role in client server; do
			covers "${truth##*/} $role, datagrams at stage app" \
				"$(events latency $role 'select(.stage == "app")' | count)" "$(of $role messages)"
		done
	done
	# every packet of these two namespaces, whatever it was
	for kind in $kinds; do
		join $kind
		for role in client server; do
			netns=$(of_kind $kind $role netns)
			while read -r version proto packets; do
				[ "$packets" -ge 50 ] || fail "$kind $role IPv$version $proto: $packets packets"
				covers "$kind $role IPv$version $proto, packets at stage transport" "$(jq -c "select(.stage ==
					\"transport\" and .netns == $netns and .ip_version == $version and
					.proto == \"$proto\")" "$lines" | count)" "$packets"
			done <"$work/counted.$kind.$role"
			equal "$kind $role: counters" "$(count <"$work/counted.$kind.$role")" 4
		done
	done
}

of_kind() { truth=$work/truth.$1.4 of "$2" "$3"; }

# hits: how often the kernel has run each program of netlog's, by its own count
hits() {
	cat /proc/"$netlog_pid"/fdinfo/* | awk '/^prog_id:/ { id = $2 } /^run_cnt:/ && id { print id, $2; id = 0 }' |
		sort -u | while read -r id runs; do
		echo "$runs $(bpftool prog show id "$id" | sed -n '1s/.* name \([^ ]*\).*/\1/p')"
	done
}

# A program may be attached and yet never run. For each part that the start line names: lines of its
# kind; for those that make none (a packet's entry), and all others: the kernel's own count.
test_each_hook_that_is_attached_is_hit() {
	lossy_pair_up virtio
	# the first SYN-ACK of each family
	drop_at "$ns0" "tcp flags & (syn | ack) == syn | ack ip version 4 numgen inc mod 1000 0 drop
		tcp flags & (syn | ack) == syn | ack ip6 version 6 numgen inc mod 1000 0"
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	netlog_start
	traffic_both --bytes 300000 --messages 2
	for family in 4 6; do
		datagrams --family $family --messages 5
	done
	hits >"$work/hits"
	netlog_stop
	[ -s "$work/hits" ] || fail "the kernel tells of no program"
	equal "programs that never ran" "$(grep '^0 ' "$work/hits" | xargs)" ""
	# of latency's parts, each stage's name comes first: transport_tcp6
	head -n 1 "$lines" | jq -r '.hooks[] | select(has("error") | not) | "\(.event) \(.part)"' |
		sed 's/^\(latency [a-z]*\)_.*/\1/' | sort -u | grep -v '^latency entry$' >"$work/parts"
	[ -s "$work/parts" ] || fail "no hooks: $(head -n 1 "$lines")"
	for version in 4 6; do
		jq -r "select(.ip_version == $version) | .event_type + \" \" + (.stage //
			if .event_type == \"rtt\" then \"sample\" elif .retrans_type == \"synack\" then \"synack\"
			else \"segment\" end)" "$lines" | sort -u >"$work/seen"
		equal "IPv$version, parts without a line" "$(comm -23 "$work/parts" "$work/seen" | xargs)" ""
	done
}

run_tests
