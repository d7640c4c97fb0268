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

# An emulated CPU takes a second for ten jq: so the lines and the truth become tables in one go, in which
# the namespace tells the end. `own KIND FAMILY ROLE` sets $netns, $retrans, $segs_in and $segs_out.
table() { # FIELD...: of the event lines: type, netns, version, and these
	jq -r "select(has(\"src_ip\")) | [.event_type, .netns, .ip_version, $1] | map(. // \"-\") | @tsv" \
		"$lines" >"$work/table"
	for truth in "$work"/truth.*.[46]; do
		jq -r "select(has(\"local_port\")) | [\"${truth##*truth.}\", .role, .netns, .total_retrans,
			.segs_in, .segs_out] | @tsv" "$truth"
	done >"$work/ends"
}

own() {
	read -r netns retrans segs_in segs_out < <(awk -v of="$1.$2" -v role="$3" \
		'$1 == of && $2 == role { print $3, $4, $5, $6 }' "$work/ends") || fail "no truth of $1 $2 $3"
}

# column N CONDITION: that column of the table's rows that fit, by awk
column() { awk "$2 { print \$$1 }" "$work/table"; }

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
	table ".segs, .srtt_us"
	for kind in $kinds; do
		for family in 4 6; do
			own $kind $family client
			[ "$retrans" -ge 5 ] || fail "$kind IPv$family: no loss"
			told "$kind IPv$family: segs" "$(column 4 "\$1 == \"retransmit\" && \$2 == $netns && \$3 == $family" |
				sum)" "$retrans"
			jq -r 'select(has("message")) | "\(.role) \(.srtt_us)"' "$work/truth.$kind.$family" >"$work/true"
			for role in client server; do
				own $kind $family $role
				column 5 "\$1 == \"rtt\" && \$2 == $netns && \$3 == $family" >"$work/srtt"
				what="$kind IPv$family $role"
				at_least "$what, samples" "$(count <"$work/srtt")" 80 40
				# near enough is within a tenth; but it is the very same number
				at_least "$what, srtt_us that TCP_INFO gave and a line told" "$(sed -n "s/^$role //p" "$work/true" |
					grep -cxFf "$work/srtt")" 95 40
				[ "$(median <"$work/srtt")" -ge 10000 ] || fail "$what: faster than the wire"
			done
		done
	done
}

# Of what the client sends it hears in FIN-WAIT at last: tcp_probe, at the entry of the established state,
# tells nothing of that, and of a connection so short hardly anything.
test_connections_that_write_and_shut_down_at_once_have_samples() {
	pair_up veth 5
	netlog_start --events=rtt
	for connection in 1 2 3 4 5; do
		traffic --bytes 20000 --reply 0
		cp "$truth" "$work/short.$connection"
	done
	netlog_stop
	check_books
	head -n 1 "$lines" | jq -e 'any(.hooks[]; .hook == "fexit/tcp_ack_update_rtt" and (has("error") | not))' \
		>/dev/null || fail "no fexit: $(head -n 1 "$lines")"
	for truth in "$work"/short.*; do
		events rtt client '[.rtt_us, .tcp_state]' >"$work/samples"
		[ "$(grep -c '^\[[1-9]' "$work/samples")" -ge 3 ] ||
			fail "samples of a short connection: $(xargs <"$work/samples")"
		within "its least raw sample" "$(jq '.[0]' "$work/samples" | sort -n | head -n 1)" \
			"$(of client min_rtt_us)" "$(of client min_rtt_us)"
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
	echo "# $1: $2 of $3"
	[ "$2" -le "$3" ] && [ $(($2 + missed)) -ge "$3" ] || fail "$1: $2 lines, not $3 ($missed missed)"
}

# rows STAGE PROTO: of $netns and $family, the latencies
rows() {
	column 6 "\$1 == \"latency\" && \$2 == $netns && \$3 == $family && \$4 == \"$1\" && \$5 == \"$2\""
}

test_each_stage_has_the_packets_that_it_should() {
	for kind in $kinds; do
		pair_up $kind 5
		count_in "$ns0"
		count_in "$ns1"
	done
	netlog_start --events=latency
	traffic_each --messages 20 --bytes 100 --reply 100
	for kind in $kinds; do
		join $kind
		for family in 4 6; do
			datagrams --family $family --messages 20 --bytes 100
		done
		counted_in "$ns0" >"$work/counted.$kind.client"
		counted_in "$ns1" >"$work/counted.$kind.server"
	done
	netlog_stop
	check_books
	table ".stage, .proto, .latency_ns"
	missed=$(missed latency)
	for kind in $kinds; do
		for role in client server; do
			for family in 4 6; do
				own $kind $family $role
				what="$kind IPv$family $role"
				# the handshake's and the end's packets are not in the established state
				within "$what, packets at stage tcp" "$(rows tcp tcp | count)" $((segs_in - 5)) "$segs_in"
				covers "$what, messages at stage app" "$(rows app tcp | count)" 20
				covers "$what, datagrams at stage app" "$(rows app udp | count)" 20
				# netem's delay is not this host's
				within "$what, median latency_ns" "$(rows tcp tcp | median)" 1 4999999
				# outwards it is: what is sent waits in netem
				at_least "$what, packets at stage qdisc" "$(rows qdisc tcp | count)" 100 "$segs_out"
				[ "$(rows qdisc tcp | median)" -ge 5000000 ] || fail "$what: out of netem before its time"
				for proto in tcp udp; do
					packets=$(awk "\$1 == $family && \$2 == \"$proto\" { print \$3 }" \
						"$work/counted.$kind.$role")
					[ "${packets:-0}" -ge 20 ] || fail "$what: $packets packets of $proto"
					covers "$what, packets of $proto at stage transport" \
						"$(rows transport $proto | count)" "$packets"
				done
			done
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
	head -n 1 "$lines" | jq -r '.hooks[] | select((has("error") | not) and .event != "all") | "\(.event) \(.part)"' |
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
