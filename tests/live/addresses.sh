# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # lib.sh's variables
#
# addresses.sh - sourced behind lib.sh: hosts that translate addresses, who talks through them, and what is to be
# said of that.

# The client's host translates what goes to 10.99.0.1, both ends, and hides a network behind it, $inner; the
# server's host translates ports.
hosts_up() {
	unshare --net nft "add table ip nat; add chain ip nat left { type nat hook postrouting priority 100; }" ||
		skip "no NAT"
	wire_up --drop-every 9
	unshare --net sleep infinity &
	inner_pid=$!
	separate() { [ "$(readlink /proc/$inner_pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
	wait_for 10 separate || fail "no namespace"
	inner=/proc/$inner_pid/ns/net
	ours+=(--netns="$(stat -Lc %i "$inner")")
	nsenter --net="$ns0" sh -ec "ip link set lo up
		ip route add 10.99.0.0/24 dev wire0 src 10.77.0.1 rto_min 20ms
		ip -6 route add fd99::/64 dev wire0 src fd77::1 rto_min 20ms
		ip link add veth0 type veth peer name veth1 netns $inner_pid
		ip addr add 10.78.0.1/24 dev veth0 && ip link set veth0 up
		echo 1 >/proc/sys/net/ipv4/ip_forward" || skip "no veth"
	nsenter --net="$inner" sh -ec "ip addr add 10.78.0.2/24 dev veth1 && ip link set veth1 up
		ip route add default via 10.78.0.1 rto_min 20ms" || fail "no way out of $inner"
	client_rules ip 10.99.0.1 10.77.0.2 10.77.0.3 127.0.0.1 "oifname wire0 ip protocol icmp snat to 10.77.0.3
		ip saddr 10.78.0.0/24 masquerade"
	client_rules ip6 fd99::1 "[fd77::2]" "[fd77::3]" ::1
	nsenter --net="$ns1" nft -f - <<-END || fail "no rules"
		table inet nat {
			chain arriving {
				type nat hook prerouting priority -100
				tcp dport 80 redirect to :8080
				tcp dport 81 redirect to :8081
				tcp dport 82 redirect to :8080
				tcp dport 83 redirect to :8090
				udp dport 5300 redirect to :5353
			}
			chain rewritten {
				type filter hook output priority -300
				tcp sport 7070 notrack tcp sport set 7071
			}
			chain written_back {
				type filter hook prerouting priority -300
				tcp dport 7071 notrack tcp dport set 7070
			}
		}
	END
}

# client_rules FAMILY VIRTUAL REAL TRANSLATED LOOPBACK [RULES]: where nobody listens, the source's port is kept
client_rules() {
	nsenter --net="$ns0" nft -f - <<-END || fail "no rules"
		table $1 nat {
			chain leaving {
				type nat hook output priority -100
				$1 daddr $2 tcp dport 443 dnat to $3:80
				$1 daddr $2 tcp dport 444 dnat to $3:81
				$1 daddr $2 tcp dport 445 dnat to $3:83
				$1 daddr $2 tcp dport 22 dnat to $3:82
				$1 daddr $2 udp dport 53 dnat to $3:5300
				$1 daddr $5 tcp dport 9080 redirect to :9090
			}
			chain left {
				type nat hook postrouting priority 100
				oifname wire0 tcp dport 80 snat to $4:20000-29999
				oifname wire0 udp dport 5300 snat to $4:30000-39999
				oifname wire0 tcp dport 82 snat to $4:40000
				oifname wire0 tcp dport 81 snat to ${4//[][]/}
				oifname wire0 tcp dport 83 snat to ${4//[][]/}
				${6:-}
			}
			chain rewritten {
				type filter hook output priority -300
				$1 daddr ${2%1}2 notrack $1 daddr set ${3//[][]/}
			}
			chain written_back {
				type filter hook prerouting priority -300
				$1 saddr ${3//[][]/} tcp sport 7071 notrack $1 saddr set ${2%1}2
			}
		}
	END
}

talk() { # CONNECTIONS
	truth=$work/truth
	timeout 120 /usr/bin/python3 tests/live/translated.py "$ns0" "$ns1" "$inner" "$1" >"$truth" 2>"$work/talk.log" ||
		fail "the talk failed: $(cat "$work/talk.log")"
}

judge() { # HOW [PART CONDITION]
	/usr/bin/python3 tests/live/addresses.py "$1" "$lines" "$truth" "${@:2}" >"$work/judged" 2>&1 || fail "$(cat "$work/judged")"
}
