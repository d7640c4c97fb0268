#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# scenes.sh KEPT - runs in the VM: four netlogs at once, and before them traffic of all kinds.
#
# Nothing is judged here: an emulated CPU takes a second for ten jq. What netlog and everybody else say
# goes to the directory KEPT, and the *_test.sh beside this file compare it, on the host. KEPT/SCENE has a
# scene's accounts, and `failed` if it did not come to its end; KEPT/lines.NETLOG a netlog's lines.
. "$(dirname "$0")/hosts.sh"
. tests/live/addresses.sh
. tests/live/mptcp.sh
kept=$1
declare -A netlogs

# ---- two hosts: a veth pair, or two virtio NICs, whose packets come in by lists (GRO,
# netif_receive_skb_list_internal()): ip_rcv() never sees these.

# pair_up NAME KIND NIC...: two hosts joined so, with netem's delay both ways; join NAME makes $ns0 and
# $ns1 theirs
pair_up() {
	local name=$1 kind=$2 end=0 pid pids
	shift 2
	namespace_make && pids=$holder
	namespace_make && pids="$pids $holder"
	mkdir "$work/$name" && echo "$pids" >"$work/$name/hosts"
	[ "$kind" != veth ] ||
		ip link add veth0 netns "${pids% *}" type veth peer name veth1 netns "${pids#* }" || fail "no veth"
	for pid in $pids; do
		[ "$kind" = veth ] || ip link set "$1" netns "$pid" name "$kind$end" || fail "$1 stays"
		nsenter --net=/proc/"$pid"/ns/net ip -batch - <<-END || fail "no addresses"
			link set lo up
			addr add 10.77.0.$((end + 1))/24 dev $kind$end
			addr add fd77::$((end + 1))/64 dev $kind$end nodad
			link set $kind$end up
		END
		nsenter --net=/proc/"$pid"/ns/net tc qdisc add dev $kind$end root netem delay 5ms limit 10000 ||
			fail "no netem"
		end=$((end + 1))
		[ "$kind" = veth ] || shift
	done
}

join() {
	local pid0 pid1
	read -r pid0 pid1 <"$work/hosts"
	ns0=/proc/$pid0/ns/net ns1=/proc/$pid1/ns/net
}

# nft_in NAMESPACE RULES
nft_in() { nsenter --net="$1" nft -f - <<<"$2" || fail "no nft: $2"; }

# What comes in and fits is dropped before TCP sees it. TCP is told what the sender's own side drops, and
# would not call it lost. One in twenty, of those with payload, that the server receives; and the first
# SYN-ACK of each family.
lossy() { # NAME
	local work=$work/$1
	join
	nft_in "$ns1" "table inet loss { chain prerouting { type filter hook prerouting priority -300;
		meta l4proto tcp meta length > 100 numgen inc mod 20 0 drop; }; }"
	nft_in "$ns0" "table inet loss { chain prerouting { type filter hook prerouting priority -300;
		tcp flags & (syn | ack) == syn | ack ip version 4 numgen inc mod 1000 0 drop;
		tcp flags & (syn | ack) == syn | ack ip6 version 6 numgen inc mod 1000 0 drop; }; }"
}

# What comes in of TCP and UDP is counted right before it is handed to them.
counting() { # NAME
	local work=$work/$1 ns
	join
	for ns in "$ns0" "$ns1"; do
		nft_in "$ns" "table inet truth { chain input { type filter hook input priority 300;
			meta nfproto ipv4 meta l4proto tcp counter; meta nfproto ipv4 meta l4proto udp counter;
			meta nfproto ipv6 meta l4proto tcp counter; meta nfproto ipv6 meta l4proto udp counter; }; }"
	done
}

# Hosts that translate. They stay until the end, or another scene's would get their numbers.
translators_up() {
	local work=$work/addresses
	mkdir "$work" && hosts_up
	translators=("$ns0" "$ns1" "$inner")
}

# ---- the scenes, each with $work as its directory

# keep NAME PROGRAM OPTIONS: between $ns0 and $ns1; its account is the file NAME
keep() {
	local name=$1 program=$2
	shift 2
	timeout 200 build/"$program" "$@" --client "$ns0" --server "$ns1" >"$work/$name" || fail "$program $* failed"
}

# More than a segment is acknowledged at once, not when the application answers.
scene_lossy() {
	local family
	join
	for family in 4 6; do
		keep truth.$family traffic --family $family --messages 40 --bytes 8000 --reply 8000 --times
	done
}

scene_clean() {
	local family
	join
	for family in 4 6; do
		keep truth.$family traffic --family $family --messages 20 --bytes 100 --reply 100
		keep datagrams.$family datagrams --family $family --messages 20 --bytes 100
	done
	nsenter --net="$ns0" nft list chain inet truth input >"$work/counted.client"
	nsenter --net="$ns1" nft list chain inet truth input >"$work/counted.server"
}

# Of what the client sends it hears in FIN-WAIT at last.
scene_short() {
	local connection
	join
	for connection in 1 2 3 4 5; do
		keep truth.$connection traffic --bytes 20000 --reply 0
	done
}

# Ports that a filter can name.
scene_ports() {
	wire_up
	nsenter --net="$ns0" sh -c 'echo 9000 9009 >/proc/sys/net/ipv4/ip_local_port_range'
	keep truth traffic --messages 40 --bytes 100 --reply 100
	keep truth.6 traffic --family 6 --messages 40 --bytes 100 --reply 100
	stat -Lc %i "$ns0" "$ns1" >"$work/namespaces"
	# that of this shell
	stat -c %i "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)" >"$work/cgroup"
}

scene_cookie() {
	wire_up --drop-synack 1
	keep truth traffic --messages 10 --bytes 100 --reply 100 --cookie
}

scene_addresses() {
	ns0=${translators[0]} ns1=${translators[1]} inner=${translators[2]}
	talk 3
}

scene_owners() {
	wire_up --delay-ms 1 --drop-every 10
	keep truth owners pass
}

# Calls that the kernel did not make show when TCP's own counter has grown by more than one call's
# segments: in one netlog's memory of sockets it is set back.
scene_missed() {
	local map
	map=$(sockets_map "${netlogs[sampled]}")
	wire_up --delay-ms 2 --drop-every 20
	keep truth traffic --messages 2 --bytes 300000 --forget "$map"
}

# A message is a packet.
scene_mptcp() {
	[ -e /proc/sys/net/mptcp ] || return 0
	wire_up --delay-ms 1 --drop-every 10
	truth=$work/truth
	mptcp_talk 10 1000
}

scene_first() {
	wire_up
	nsenter --net="$ns0" timeout 200 /usr/bin/python3 tests/live/first.py 9 >"$work/truth" || fail "first.py failed"
}

scene_flows() {
	timeout 200 build/flows --connections 120 --messages 5 >"$work/truth" || fail "flows failed"
}

# A datagram for several sockets: a netlog alone sees it, since it tells of losses.
scene_multicast() {
	wire_up
	run copies $netlog --events=latency --latency-stage=app
	wait_for 100 all_started
	keep received multicast --messages 20 --sockets 3
	netlogs_end
}

# scenes NAME...: one after the other; what stands behind the colon tells it from its like
scenes() {
	local name
	for name in "$@"; do
		mkdir -p "$work/$name"
		(
			work=$work/$name
			trap at_exit_of_test EXIT
			scene_"${name%%:*}"
		) >"$work/$name/said" 2>&1 || mv "$work/$name/said" "$work/$name/failed"
	done
}

# ---- the netlogs

run() { # NAME COMMAND...
	local name=$1
	shift
	"$@" -q --output="file:$work/lines.$name" 2>"$work/netlog.$name" &
	netlogs[$name]=$!
}

netlogs_end() {
	local name
	kill -TERM "${netlogs[@]}" 2>/dev/null
	for name in "${!netlogs[@]}"; do
		wait "${netlogs[$name]}"
		echo $? >"$work/status.$name"
	done
	netlogs=()
}

# Has each one begun, or ended?
all_started() {
	local name
	for name in "${!netlogs[@]}"; do
		grep -qs '"event_type":"start"' "$work/lines.$name" || ! kill -0 "${netlogs[$name]}" 2>/dev/null ||
			return
	done
}

echo 1 >/proc/sys/kernel/bpf_stats_enabled
run best $netlog
# where functions and the typed tracepoints of retransmit are refused, the other rungs serve
run lower env NETLOG_REFUSE=fentry/,fexit/,tp_btf/retransmit LD_PRELOAD="$PWD/build/refuse.so" $netlog
mkdir /sys/fs/cgroup/other
# of both ends' addresses and ports, one end's: of another output's own; two have one that leaves out all
run filtered $netlog --addr=10.77.0.0/24 --port=9000-9009 --comm=traffic \
	-o "file:$work/lines.own,src-port=9000-9009,not-dest-addr=10.77.0.1,events=rtt,proto=tcp,not-cgroup=/other" \
	-o file:/dev/null,addr=fd77::/64,pid=1
run sampled $netlog --sample=latency=3

{
	pair_up lossy:veth veth && pair_up clean:veth veth && pair_up short veth &&
		pair_up lossy:virtio virtio eth0 eth1 && pair_up clean:virtio virtio eth2 eth3 &&
		lossy lossy:veth && lossy lossy:virtio && counting clean:veth && counting clean:virtio &&
		translators_up
} >"$kept/pairs" 2>&1 || mv "$kept/pairs" "$kept/failed"
wait_for 200 all_started # one that has not is without lines

scenes clean:veth clean:virtio ports flows &
lanes=$!
scenes lossy:veth lossy:virtio missed &
lanes="$lanes $!"
scenes short cookie owners addresses mptcp first &
# shellcheck disable=SC2086 # these are words
wait $lanes $!

bpftool -j prog show >"$work/programs"
for name in best lower filtered; do
	cat /proc/"${netlogs[$name]}"/fdinfo/* >"$work/programs.$name" 2>/dev/null
	build/loads "${netlogs[$name]}" >"$work/loads.$name" 2>"$work/loads.$name.failed" &&
		rm "$work/loads.$name.failed"
done
netlogs_end
scenes multicast
cp /sys/kernel/btf/vmlinux "$work/btf"
uname -r >"$work/release"
cp -r "$work"/. "$kept"
