#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# harm.sh KEPT ROUNDS [closed] - runs in the VM: netlogs begin, are told to read their configuration anew, and
# end, ROUNDS times, while sockets, connections, cgroups, devices and namespaces end under their eyes (churn.c),
# on a wire with delay and loss, and through a router.
#
# `closed`: in each round, only what led to the panic that this is here for: packets of closed sockets, at the
# stage where they were looked at. Netlog cf127a9 panics a 5.10 kernel so. It takes some rounds, since the
# kernel must find the wrong one of two copies of a program.
#
# Nothing is judged here but that each netlog does what it is told: whether the kernel has come to harm, its
# console says. KEPT/rounds has a line for each round, KEPT/churn.* how much there was to see, KEPT/faults the
# page faults in netlog's programs, of some rounds.
. "$(dirname "$0")/hosts.sh"
kept=$1
rounds=$2
only=${3:-}

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

# Options in turn, so that each event, each stage and the filters are loaded alone and together. Where a
# configuration file might bring filters later, they are loaded, too, and are by far the most work for the
# verifier: some of the rounds have one.
options_of() { # ROUND
	[ "$only" != closed ] || {
		options="-e latency --latency-stage=qdisc"
		return
	}
	case $(($1 % 8)) in
	0) configured '{}' ;;
	1) options="-e latency" ;;
	2) options="-e latency --latency-stage=qdisc" ;;
	3) options="-e retransmit" ;;
	4) options="-e rtt,retransmit" ;;
	5) options="" ;;
	6) configured '{"events": ["latency"], "latency-stage": ["qdisc"], "addr": ["10.77.0.0/24"]}' ;;
	7) options="-e retransmit,rtt --comm=churn --not-port=1" ;;
	esac
}

configured() { # JSON
	echo "$1" >"$work/conf"
	options=--config=$work/conf
}

told() { grep -qs "\"event_type\":\"$1\"" "$lines"; }

# Some lines of events, so that the programs have been at work
at_work() { [ "$(wc -l <"$lines")" -ge 20 ]; }

# While ten more lines come; to attach takes a second here, so it is done for all programs together only
count_faults() { # PID
	local before faults
	[ "$options" = "--config=$work/conf" ] || [ "$only" = closed ] || return 0
	build/faults "$1" >"$work/faults" 2>>"$work/said" &
	faults=$!
	wait_for 60 grep -qs ready "$work/faults" || fail "faults are not counted: $(cat "$work/said")"
	before=$(wc -l <"$lines")
	more() { [ "$(wc -l <"$lines")" -ge $((before + 10)) ]; }
	wait_for 60 more || fail "few lines while faults are counted"
	kill $faults
	wait $faults
	grep -v ready "$work/faults" >>"$kept/faults"
}

round_of() { # ROUND
	lines=$work/lines
	rm -f "$lines"
	options_of "$1"
	# shellcheck disable=SC2086 # options are words
	$netlog $options -q --output="file:$lines" 2>"$work/said" &
	local pid=$! status
	wait_for 120 told start || fail "round $1: no start line: $(cat "$work/said")"
	wait_for 120 at_work || fail "round $1: few lines: $(wc -l <"$lines") $(cat "$work/said")"
	count_faults $pid
	kill -HUP $pid
	[ "${options#--config}" = "$options" ] || wait_for 60 told reload || fail "round $1: no reload line: $(cat "$work/said")"
	kill -TERM $pid
	wait $pid
	status=$?
	[ $status = 0 ] || fail "round $1: it ended with $status: $(cat "$work/said")"
	echo "$1 $(cut -d ' ' -f 1 /proc/uptime) $(wc -l <"$lines") $options" >>"$kept/rounds"
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
	(
		echo $BASHPID >/sys/fs/cgroup/churn/cgroup.procs
		exec build/churn --client "$ns0" --server "$ns1" --gap-ms 300 --cgroup /sys/fs/cgroup/churn
	) >"$kept/churn.wire" &
	churns=$!
	build/churn --client "$routed0" --server "$routed1" --gap-ms 1000 >"$kept/churn.router" &
	churns="$churns $!"
fi
for round in $(seq "$rounds"); do
	round_of "$round"
done
# shellcheck disable=SC2086 # these are words
kill $churns && wait $churns
uname -r >"$kept/release"
