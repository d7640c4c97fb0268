#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A packet's age goes on across this host's own devices: what it waits for in one of their queues is part of it,
# whichever devices it passes on the way to a container. The truth is the sender's and the reader's own clock.
. "$(dirname "$0")/lib.sh"

# A slow queue: so many bytes go at once, all behind them at this rate.
RATE=1mbit RATE_BYTES=125000 BURST=3000
FILL=10                                                                  # datagrams of 1000 bytes
WAIT_NS=$(((FILL * 1000 - BURST - 1000) * 1000000000 / RATE_BYTES))      # less than a message behind them waits

netns_up() { # NAME...: a namespace each, as $NAME
	local name
	for name in "$@"; do
		unshare --net sleep infinity &
		declare -g "$name=/proc/$!/ns/net"
		wait_for 10 differs_from_ours "$!"
		nsenter --net="/proc/$!/ns/net" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo up'
	done
}
differs_from_ours() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

pair() { # NAMESPACE DEVICE NAMESPACE DEVICE: joined by a veth
	nsenter --net="$1" ip link add "$2" type veth peer name "$4" || fail "no veth"
	[ "$1" = "$3" ] || nsenter --net="$1" ip link set "$4" netns "$(cut -d/ -f3 <<<"$3")"
	nsenter --net="$1" ip link set "$2" up
	nsenter --net="$3" ip link set "$4" up
}

in_netns() { # NAMESPACE COMMAND...: lines of a script
	nsenter --net="$1" sh -ec "$2"
}

mac_of() { nsenter --net="$1" ip -j link show "$2" | jq -r '.[].address'; }

received_by() { nsenter --net="$1" ip -s -j link show "$2" | jq '.[0].stats64.rx.packets'; }

slow() { in_netns "$1" "tc qdisc add dev $2 root tbf rate $RATE burst $BURST limit 1000000"; }

# Somebody who looks at all packets of a device, a clone of each, and reads none
tap() { # NAMESPACE DEVICE
	nsenter --net="$1" /usr/bin/python3 -c 'import socket, sys, time
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind((sys.argv[1], 3))
print("ready", flush=True)
time.sleep(1000)' "$2" >"$work/tap" 2>&1 &
	wait_for 10 grep -qs ready "$work/tap" || fail "no tap"
}

deaf() { in_netns "$1" "nft 'table inet deaf { chain in { type filter hook input priority 0; udp dport 9 drop; }; }'"; }

# What the devices of all namespaces here have sent, by their own account
sent_by_devices() {
	for netns in $(printf '%s\n' "$client" "${middle:-}" "$server" "${ns1:-}" | sort -u); do
		nsenter --net="$netns" ip -s -j link | jq '[.[].stats64.tx | .packets + .dropped] | add'
	done | sum
}

# messages ADDRESS: how old each is at stage app, and by the clocks of both ends. $skipped is for how many packets that
# were sent the kernel ran no program, netlog's neither: see README. It then runs none where they come out, either.
messages() {
	witness_begin
	skipped=$(sent_by_devices)
	netlog_start --events=latency --latency-stage=app --proto=tcp --netns="$(stat -Lc %i "$server")"
	timeout 60 /usr/bin/python3 tests/live/ages.py "$client" "$server" queued 4 "$1" $FILL \
		${seen_at:+"$seen_at"} >"$work/bounds" || fail "not sent"
	netlog_stop
	check_books
	skipped=$(($(sent_by_devices) - skipped))
	witness_end
	for netns in $(stat -Lc %i "$client" ${middle:+"$middle"} "$server" ${ns1:+"$ns1"} | sort -u); do
		skipped=$((skipped - $(witnessed packets "$netns")))
	done
	[ "$skipped" -le 0 ] || echo "# the kernel made no call for $skipped packets"
	[ "$skipped" -ge 0 ] || skipped=0
	jq -nc --slurpfile bounds "$work/bounds" 'inputs | select(.event_type == "latency") | . as $line |
		$bounds[] | select(.src_port == $line.src_port) | . + ($line | {latency_ns, device_ns, ifname,
			first_ifname})' "$lines" >"$work/told"
	equal "ages that cannot be" "$(jq -c "select(.latency_ns < .least_ns - ${outside_ns:-0} or
		.latency_ns > .bound_ns - ${wire_ns:-0})" "$work/told")" ""
	equal "messages that have not waited" "$(jq -c "select(.latency_ns < $WAIT_NS)" "$work/told")" ""
}

# aged ADDRESS FIRST LAST: each has a line, with the last device's part, and the interfaces by which it came
aged() {
	messages "$1"
	jq -c "select(.device_ns != null and .device_ns <= .latency_ns - $WAIT_NS and
		(.first_ifname // \"-\") == \"$2\" and .ifname == \"$3\")" "$work/told" >"$work/right"
	within "messages that are told as they came: $(jq -c . "$work/told")" "$(count <"$work/right")" \
		$((skipped < 3 ? 4 - skipped : 1)) 4
}

# aged_or_lost ADDRESS: each has a line, or is counted
aged_or_lost() {
	messages "$1"
	echo "# $(count <"$work/told") told, $(missed latency) lost"
	[ $(($(count <"$work/told") + $(missed latency))) -ge 4 ] || fail "neither told nor lost"
}

# two_links: c0 - m0 and m1 - s0, a router or a bridge between them
two_links() {
	netns_up client middle server
	pair "$client" c0 "$middle" m0
	pair "$middle" m1 "$server" s0
	deaf "$server"
	slow "$middle" m1
}

router() {
	two_links
	in_netns "$client" "ip addr add 10.1.0.1/24 dev c0; ip route add default via 10.1.0.2"
	in_netns "$middle" "ip addr add 10.1.0.2/24 dev m0; ip addr add 10.2.0.2/24 dev m1
		echo 1 >/proc/sys/net/ipv4/ip_forward"
	in_netns "$server" "ip addr add 10.2.0.1/24 dev s0; ip route add default via 10.2.0.2"
}

one_link() { # c0 - m0; the server is the middle
	netns_up client middle
	server=$middle
	pair "$client" c0 "$middle" m0
	in_netns "$client" "ip addr add 10.1.0.1/24 dev c0"
	deaf "$server"
}

test_through_a_router_into_a_container() {
	router
	aged 10.2.0.1 c0 s0
}

test_through_nat_into_a_container() {
	router
	in_netns "$middle" "nft 'table ip nat {
		chain pre { type nat hook prerouting priority -100; ip daddr 10.9.0.9 dnat to 10.2.0.1; };
		chain post { type nat hook postrouting priority 100; oifname m1 masquerade; }; }'" || skip "no NAT"
	seen_at=10.9.0.9 aged 10.2.0.1 c0 s0
}

# A flow label is no identity of a packet: whoever forwards it may set another (RFC 6437, section 4).
test_through_a_router_that_changes_ipv6s_flow_label() {
	two_links
	for netns in "$client" "$middle" "$server"; do
		in_netns "$netns" "echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6"
	done
	in_netns "$client" "ip addr add fd01::1/64 dev c0 nodad; ip route add default via fd01::2"
	in_netns "$middle" "ip addr add fd01::2/64 dev m0 nodad; ip addr add fd02::2/64 dev m1 nodad
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
		nft 'table ip6 t { chain in { type filter hook prerouting priority 0; ip6 flowlabel set 0x12345; }; }'"
	in_netns "$server" "ip addr add fd02::1/64 dev s0 nodad; ip route add default via fd02::2"
	aged fd02::1 c0 s0
}

test_through_a_bridge_into_a_container() {
	two_links
	in_netns "$client" "ip addr add 10.1.0.1/24 dev c0"
	in_netns "$middle" "ip link add br0 type bridge; ip link set m0 master br0; ip link set m1 master br0
		ip link set br0 up"
	in_netns "$server" "ip addr add 10.1.0.2/24 dev s0"
	aged 10.1.0.2 c0 s0
}

# A bridge whose own queue is slow, in front of a container: what this host sends by it was made here.
from_a_bridge() {
	netns_up client server
	pair "$client" m1 "$server" s0
	in_netns "$client" "ip link add br0 type bridge; ip link set m1 master br0; ip link set br0 up
		ip addr add 10.1.0.1/24 dev br0"
	in_netns "$server" "ip addr add 10.1.0.2/24 dev s0"
	deaf "$server"
	slow "$client" br0
}

test_from_a_bridge_of_this_host_into_a_container() {
	from_a_bridge
	aged 10.1.0.2 br0 s0
}

# Between the bridge and its port the packet is marked; where somebody looks, it gets another buffer for that.
test_a_packet_that_is_marked_between_two_devices_keeps_its_age() {
	from_a_bridge
	in_netns "$client" "nft 'table netdev t { chain out { type filter hook egress device m1 priority 0;
		ip dscp set cs1; }; }'" || skip "no hook at egress"
	aged 10.1.0.2 br0 s0
	tap "$client" br0
	aged 10.1.0.2 br0 s0
}

# A port that translates: what then comes in may be what the bridge was given, and may be another packet.
test_a_packet_that_is_translated_between_two_devices_has_its_own_age_or_none() {
	from_a_bridge
	in_netns "$client" "ip neigh replace 10.1.0.9 dev br0 lladdr $(mac_of "$server" s0)
		nft 'table netdev t {
			chain out { type filter hook egress device m1 priority 0; ip daddr 10.1.0.9 ip daddr set 10.1.0.2; };
			chain in { type filter hook ingress device m1 priority 0; ip saddr 10.1.0.2 ip saddr set 10.1.0.9; }; }'" ||
		skip "no hook at egress"
	seen_at=10.1.0.9 aged_or_lost 10.1.0.2
}

test_up_through_a_bridge() {
	one_link
	in_netns "$middle" "ip link add br0 type bridge; ip link set m0 master br0; ip link set br0 up
		ip addr add 10.1.0.2/24 dev br0"
	slow "$client" c0
	aged 10.1.0.2 c0 br0
}

# Somebody looks at what comes in (AF_PACKET), by a clone: who then rewrites the headers gets a buffer of his own.
test_a_packet_that_gets_another_buffer_on_its_way_keeps_its_age() {
	one_link
	in_netns "$middle" "ip link add br0 type bridge; ip link set m0 master br0; ip link set br0 up
		ip addr add 10.1.0.2/24 dev br0
		nft 'table netdev t { chain in { type filter hook ingress device m0 priority 0; ip ttl set 63; }; }'" ||
		skip "no hook at ingress"
	tap "$middle" m0
	slow "$client" c0
	aged 10.1.0.2 c0 br0
}

test_through_an_ifb_that_shapes_what_comes_in() {
	one_link
	in_netns "$middle" "ip addr add 10.1.0.2/24 dev m0; ip link add ifb0 type ifb; ip link set ifb0 up
		tc qdisc add dev m0 clsact
		tc filter add dev m0 ingress protocol ip u32 match u8 0 0 action mirred egress redirect dev ifb0" ||
		skip "no ifb"
	slow "$middle" ifb0
	aged 10.1.0.2 c0 m0
}

vxlan() { # SLOW-DEVICE
	one_link
	in_netns "$middle" "ip addr add 10.1.0.2/24 dev m0"
	for end in 1 2; do
		[ $end = 1 ] && where=$client || where=$middle
		in_netns "$where" "ip link add vx0 type vxlan id 7 dstport 4789 local 10.1.0.$end remote 10.1.0.$((3 - end))
			ip addr add 10.3.0.$end/24 dev vx0; ip link set vx0 up" || skip "no vxlan"
	done
	slow "$client" "$1"
}

test_out_of_a_tunnel() {
	vxlan c0
	aged 10.3.0.2 vx0 vx0
}

test_through_the_queue_of_a_tunnel() {
	vxlan vx0
	aged 10.3.0.2 vx0 vx0
}

# The clock begins where it comes in: what it took on the wire is not this host's.
test_from_outside_into_a_container() {
	wire_up --delay-ms 40
	netns_up server
	client=$ns0
	pair "$ns1" m1 "$server" s0
	in_netns "$ns0" "ip route add 10.2.0.0/24 via 10.77.0.2"
	in_netns "$ns1" "ip addr add 10.2.0.2/24 dev m1; echo 1 >/proc/sys/net/ipv4/ip_forward"
	in_netns "$server" "ip addr add 10.2.0.1/24 dev s0; ip route add default via 10.2.0.2"
	deaf "$server"
	slow "$ns1" m1
	wire_ns=40000000 outside_ns=10000000000 aged 10.2.0.1 wire1 s0
}

# To all ports, by a clone each: to another container first, or last.
test_a_packet_that_a_bridge_floods_has_its_own_age_or_none() {
	two_links
	netns_up other
	in_netns "$client" "ip addr add 10.1.0.1/24 dev c0"
	in_netns "$middle" "ip link add br0 type bridge; ip link set br0 up"
	for port in o0 m0 m1 o1; do
		[ "${port%[01]}" = m ] || pair "$middle" "$port" "$other" "x$port"
		in_netns "$middle" "ip link set $port master br0; bridge link set dev $port learning off" ||
			fail "$port learns"
	done
	in_netns "$server" "ip addr add 10.1.0.2/24 dev s0"
	aged_or_lost 10.1.0.2
	[ "$(received_by "$other" xo0)" -ge 8 ] || fail "no flood"
}

# What is mirrored is a clone, and goes to another container.
test_a_packet_that_tc_mirrors_keeps_its_age() {
	one_link
	netns_up other
	pair "$middle" o0 "$other" xo0
	in_netns "$middle" "ip addr add 10.1.0.2/24 dev m0; tc qdisc add dev m0 clsact
		tc filter add dev m0 ingress protocol ip u32 match u8 0 0 action mirred egress mirror dev o0" ||
		skip "no mirred"
	slow "$client" c0
	aged 10.1.0.2 c0 m0
	[ "$(received_by "$other" xo0)" -ge 8 ] || fail "no mirror"
}

# Into another device's ingress: the packet itself comes in again, without having been sent.
test_a_packet_that_tc_redirects_keeps_its_age() {
	one_link
	pair "$middle" r0 "$middle" r1
	in_netns "$middle" "ip addr add 10.1.0.2/24 dev r0; echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
		tc qdisc add dev m0 clsact
		tc filter add dev m0 ingress protocol all u32 match u8 0 0 action mirred ingress redirect dev r0
		tc qdisc add dev r0 clsact
		tc filter add dev r0 egress protocol all u32 match u8 0 0 action mirred egress redirect dev m0" ||
		skip "no mirred"
	in_netns "$client" "ip neigh replace 10.1.0.2 dev c0 lladdr $(mac_of "$middle" m0)"
	in_netns "$middle" "ip neigh replace 10.1.0.1 dev r0 lladdr $(mac_of "$client" c0)"
	slow "$client" c0
	aged 10.1.0.2 c0 r0
}

# The driver copies what is shared with its sender, and hands over what it has built itself.
test_a_packet_that_a_veths_xdp_copies_has_its_own_age_or_none() {
	router
	for mode in generic driver; do
		mkfifo "$work/end.$mode"
		timeout 60 /usr/bin/python3 tests/live/ages.py "$client" "$server" xdp s0 $mode <"$work/end.$mode" \
			>"$work/xdp.$mode" 2>&1 &
		xdp_pid=$!
		exec 9>"$work/end.$mode"
		wait_for 10 grep -qs . "$work/xdp.$mode"
		grep -q ready "$work/xdp.$mode" || skip "no XDP: $(cat "$work/xdp.$mode")"
		aged_or_lost 10.2.0.1
		exec 9>&-
		wait $xdp_pid
	done
}

test_over_the_loopback() {
	netns_up client
	server=$client middle=$client
	deaf "$server"
	slow "$client" lo
	aged 127.0.0.1 - lo
}

run_tests
