#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Headers are read as what they are: by EtherType, behind tags and extensions, as far as they are there.
. "$(dirname "$0")/lib.sh"

keys=ip_version,dest_ip,proto,proto_number,src_port,dest_port,len_bytes,tcp_seq

# An Ethernet beside the wire: veth0 with the client, veth1 with the server. It moves packets of any size, uncut.
ethernet_up() {
	wire_up
	nsenter --net="$ns0" ip link add veth0 mtu 9000 type veth peer name veth1 mtu 9000 || skip "no veth"
	nsenter --net="$ns0" sh -c "ip link set veth1 netns $ns1 && ip addr add fd78::1/64 dev veth0 nodad &&
		ip link set veth0 up" || fail "no veth0"
	nsenter --net="$ns1" sh -c "ip addr add fd78::2/64 dev veth1 nodad && ip link set veth1 up" || fail "no veth1"
}

# frames_told FILTER...: all frames go out. Their lines are in $lines, and in $work/0, $work/1 ... those that
# outputs with these filters take.
frames_told() {
	local options=() filter number=0
	for filter; do
		options+=(--output="file:$work/$((number++)),$filter")
	done
	netlog_start --events=latency --latency-stage=qdisc --ifname=veth0 "${options[@]}"
	nsenter --net="$ns0" /usr/bin/python3 tests/live/frames.py veth0 "$work/frames" || fail "not sent"
	netlog_stop
	check_books
}

# What a file's lines say of their headers; what is true of the frames that a jq filter selects. The kernel's own
# packets (neighbour and router discovery, multicast listeners) are neither.
headers_of() {
	jq -c "select(.event_type == \"latency\" and .proto != \"icmpv6\" and .dest_ip != \"fd78::2\") | {$keys}" "$1" | sort
}
headers_true() { jq -c "select($1) | {$keys}" "$work/frames" | sort; }

# same WHAT FILE JQ-FILTER
same() {
	headers_of "$2" >"$work/seen"
	headers_true "$3" >"$work/true"
	[ -s "$work/true" ] || fail "$1: there are none"
	diff "$work/true" "$work/seen" >"$work/diff" || fail "$1: $(cat "$work/diff")"
}

test_a_line_says_what_the_frames_headers_are() {
	ethernet_up
	frames_told
	same "frames" "$lines" true
}

test_filters_find_what_is_behind_extensions_and_tags() {
	ethernet_up
	frames_told port=1111 not-port=2222 proto=tcp not-proto=tcp,udp
	same "frames of a port" "$work/0" ".src_port == 1111"
	same "frames of no such port" "$work/1" ".src_port != 1111"
	same "frames of TCP" "$work/2" '.proto == "tcp"'
	same "frames of other protocols, or none" "$work/3" '.proto != "tcp" and .proto != "udp"'
}

test_a_protocol_is_asked_for_by_its_number_and_by_its_name() {
	ethernet_up
	frames_told proto=47 proto=gre proto=sctp,0,255 not-proto=gre,6,UDP proto=6
	same "frames of 47" "$work/0" ".proto_number == 47"
	same "frames of gre" "$work/1" ".proto_number == 47"
	same "frames of sctp, 0 and 255" "$work/2" ".proto_number | . == 132 or . == 0 or . == 255"
	same "frames of others" "$work/3" '.proto_number != 47 and .proto != "tcp" and .proto != "udp"'
	same "frames of 6" "$work/4" '.proto == "tcp"'
}

test_a_recording_is_filtered_by_the_same_protocols() {
	ethernet_up
	netlog_start --events=latency --latency-stage=qdisc --ifname=veth0 -w "$work/recording"
	nsenter --net="$ns0" /usr/bin/python3 tests/live/frames.py veth0 "$work/frames" || fail "not sent"
	netlog_stop
	for filter in proto=gre proto=sctp,0,255 not-proto=gre,6,UDP; do
		"$netlog" -r "$work/recording" --$filter >"$work/replayed" || fail "not replayed"
		case $filter in
		proto=gre) of=".proto_number == 47" ;;
		not-*) of='.proto_number != 47 and .proto != "tcp" and .proto != "udp"' ;;
		*) of=".proto_number | . == 132 or . == 0 or . == 255" ;;
		esac
		same "replayed, $filter" "$work/replayed" "$of"
	done
}

# Packets of more than 64 KiB carry a header of hop-by-hop options while they are inside the host.
test_large_packets_have_their_ports() {
	ethernet_up
	nsenter --net="$ns0" ip link set veth0 gso_max_size 180000 2>"$work/large" || skip "no BIG TCP: $(cat "$work/large")"
	nsenter --net="$ns1" ip link set veth1 gso_max_size 180000 gro_max_size 180000
	netlog_start --events=latency --latency-stage=qdisc --port=5001 --output="file:$work/all,not-port=5001" --ifname=veth0
	nsenter --net="$ns1" /usr/bin/python3 -c 'import socket
server = socket.create_server(("fd78::2", 5001), family=socket.AF_INET6)
print("ready", flush=True)
connection, _ = server.accept()
while connection.recv(1 << 20):
    pass' >"$work/server" &
	wait_for 10 grep -qs ready "$work/server" || fail "no server"
	nsenter --net="$ns0" timeout 60 /usr/bin/python3 -c 'import socket
client = socket.create_connection(("fd78::2", 5001))
client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
client.sendall(bytes(50_000_000))
client.close()' || fail "not sent"
	wait $!
	netlog_stop
	check_books
	large() { jq -c 'select(.event_type == "latency" and .len_bytes > 65535)' "$1"; }
	[ "$(large "$lines" | count)" -gt 0 ] || skip "no packet was larger than 64 KiB"
	equal "of large packets, ports" "$(large "$lines" | jq -c '[.proto, .dest_port, has("tcp_seq")]' | sort -u)" \
		'["tcp",5001,true]'
	# what TCP sends again comes once more: at the most the segments that it says
	payload=$(jq 'select(.event_type == "latency" and .dest_port == 5001) | .len_bytes' "$lines" | sum)
	again=$(nsenter --net="$ns0" nstat -asz TcpRetransSegs | awk '/TcpRetransSegs/ { print $2 }')
	within "payload, with $again segments sent again" "$payload" 50000000 $((50000000 + again * 65535))
}

run_tests
