#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# harm.sh KEPT ROUNDS [closed] - runs in the VM: netlogs begin, are told to read their configuration anew, and
# end, ROUNDS times, while sockets, connections, cgroups, devices and namespaces end under their eyes (churn.c),
# on a wire with delay and loss, and through a router.
#
# `closed`: in each round, only what led to the panic that this is here for: packets of closed sockets, at the
# stage where they were looked at, while other BPF programs come and go. The first netlog of cf127a9 panics a 5.10
# kernel so, a minute after boot:
#
#   git worktree add ../before cf127a9 && make -C ../before
#   NETLOG=../before/build/netlog KERNELS=5.10 VMS=closed:2 tests/vm/run.sh
#
# Nothing is judged here but that each netlog does what it is told: whether the kernel has come to harm, its
# console says. KEPT/rounds has a line for each round, KEPT/churn.* how much there was to see, KEPT/faults the
# page faults in netlog's programs, of some rounds.
. "$(dirname "$0")/hosts.sh"
kept=$1
rounds=$2
only=
[ "${3:-}" != closed ] || only=closed

# router_up: $routed0 and $routed1, whose packets to each other a third namespace forwards
router_up() {
	local pids='' end pid end0 end1 router
	for end in 0 1 2; do
		namespace_make
		pids="$pids $holder"
	done
	read -r end0 end1 router <<<"$pids"
	for end in 0 1; do
		pid=$end0
		[ $end = 0 ] || pid=$end1
		ip link add router$end netns "$router" type veth peer name host netns "$pid" || fail "no veth"
		nsenter --net=/proc/"$router"/ns/net ip -batch - <<-END || fail "no addresses"
			addr add 10.7$((6 + end)).0.1/24 dev router$end
			addr add fd7$((6 + end))::1/64 dev router$end nodad
			link set router$end up
		END
		nsenter --net=/proc/"$pid"/ns/net ip -batch - <<-END || fail "no addresses"
			link set lo up
			addr add 10.7$((6 + end)).0.2/24 dev host
			addr add fd7$((6 + end))::2/64 dev host nodad
			link set host up
			route add default via 10.7$((6 + end)).0.1
			route add default via fd7$((6 + end))::1
		END
	done
	nsenter --net=/proc/"$router"/ns/net sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
		echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	nsenter --net=/proc/"$router"/ns/net tc qdisc add dev router1 root netem delay 3ms loss 2% || fail "no netem"
	routed0=/proc/$end0/ns/net routed1=/proc/$end1/ns/net
}

# Configurations in turn, so that each event, each stage and the filters are loaded alone and together
configure() { # ROUND
	local settings
	case $only$(($1 % 8)) in
	closed*) settings='"events": ["latency"], "latency-stage": ["qdisc"]' ;;
	0) settings='' ;;
	1) settings='"events": ["latency"]' ;;
	2) settings='"events": ["latency"], "latency-stage": ["qdisc"]' ;;
	3) settings='"events": ["retransmit"]' ;;
	4) settings='"events": ["rtt", "retransmit"]' ;;
	5) settings='"events": ["latency"], "latency-stage": ["app", "tcp"]' ;;
	6) settings='"events": ["latency"], "latency-stage": ["qdisc"], "addr": ["10.77.0.0/24"]' ;;
	7) settings='"events": ["retransmit", "rtt"], "comm": ["churn"], "not-port": ["1"]' ;;
	esac
	echo "{ $settings }" >"$work/conf"
}

told() { grep -qs "\"event_type\":\"$1\"" "$lines" || has_ended; }
has_ended() { ! kill -0 "$pid" 2>/dev/null; }

# Some lines of events, so that the programs have been at work
at_work() { [ "$(wc -l <"$lines")" -ge 20 ] || has_ended; }

# While ten more lines come; to attach takes a second here, so it is done for all programs together only
count_faults() { # PID ROUND
	local before faults
	[ $(($2 % 8)) = 0 ] || return 0
	build/faults "$1" >"$work/faults" 2>>"$work/said" &
	faults=$!
	wait_for 60 grep -qs ready "$work/faults" || fail "faults are not counted: $(cat "$work/said")"
	before=$(wc -l <"$lines")
	more() { [ "$(wc -l <"$lines")" -ge $((before + 10)) ]; }
	wait_for 60 more || fail "few lines while faults are counted"
	kill $faults
	wait $faults || fail "faults are not counted: $(cat "$work/said")"
	grep -v ready "$work/faults" >>"$kept/faults"
}

round_of() { # ROUND
	lines=$work/lines
	rm -f "$lines"
	configure "$1"
	$netlog --config="$work/conf" -q --output="file:$lines" 2>"$work/said" &
	pid=$!
	local status
	wait_for 120 told start && ! has_ended || fail "round $1: no start line: $(cat "$work/said")"
	wait_for 120 at_work && ! has_ended || fail "round $1: few lines: $(wc -l <"$lines") $(cat "$work/said")"
	count_faults $pid "$1"
	kill -HUP $pid
	wait_for 60 told reload && ! has_ended || fail "round $1: no reload line: $(cat "$work/said")"
	kill -TERM $pid
	wait $pid
	status=$?
	[ $status = 0 ] || fail "round $1: it ended with $status: $(cat "$work/said")"
	echo "$1 $(cut -d ' ' -f 1 /proc/uptime) $(wc -l <"$lines") $(cat "$work/conf")" >>"$kept/rounds"
}

# Where there is MPTCP: Debian's 5.10 has none
mptcp_on() { # NAMESPACE...
	local ns
	[ -e /proc/sys/net/mptcp ] || return 0
	for ns in "$@"; do
		nsenter --net="$ns" sh -c 'echo 1 >/proc/sys/net/mptcp/enabled' || fail "no MPTCP"
	done
}

trap at_exit_of_test EXIT
: >"$kept/rounds"
mkdir /sys/fs/cgroup/churn || fail "no cgroup"
wire_up --delay-ms 2 --drop-every 20
if [ "$only" = closed ]; then
	build/churn --client "$ns0" --server "$ns1" --kind closed --kind programs --gap-ms 20 >"$kept/churn.wire" &
	churns=$!
else
	router_up
	mptcp_on "$ns0" "$ns1" "$routed0" "$routed1"
	(
		echo $BASHPID >/sys/fs/cgroup/churn/cgroup.procs
		exec build/churn --client "$ns0" --server "$ns1" --gap-ms 800 --cgroup /sys/fs/cgroup/churn
	) >"$kept/churn.wire" &
	churns=$!
	build/churn --client "$routed0" --server "$routed1" --gap-ms 1600 >"$kept/churn.router" &
	churns="$churns $!"
fi
for round in $(seq "$rounds"); do
	round_of "$round"
done
# shellcheck disable=SC2086 # these are words
kill $churns && wait $churns
uname -r >"$kept/release"
