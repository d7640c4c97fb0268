#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# live.sh [ring|kernel|tools]... - netlog end to end, as root; all parts if none is named.
#
# ring: events at growing rates through netlog's own ring into a file, and how many are lost.
# kernel: the time that a program of netlog's takes for a packet, less that of an empty one.
# tools: the same TCP traffic logged by netlog, bpftrace, tcpdump and tshark.
#
# TCP stays on the loopback of a network namespace of its own. Nothing is left behind.
# bpftrace finds tracepoints in tracefs. If none is mounted, ours is in a mount namespace of our own.
if [ -z "${NETLOG_BENCH_MOUNTED:-}" ]; then
	NETLOG_BENCH_MOUNTED=1 exec unshare -m "$0" "$@"
fi
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/../live/lib.sh"
[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing

pids=
stats_enabled= # what it was, once we have changed it
messages=${MESSAGES:-100000}
rounds=${ROUNDS:-3}

at_exit() { # in place of the tests'
	for pid in $pids; do
		kill "$pid" 2>/dev/null
	done
	[ -z "$stats_enabled" ] || echo "$stats_enabled" >/proc/sys/kernel/bpf_stats_enabled
	rm -rf "$work"
}

die() {
	echo "bench: $*" >&2
	exit 1
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# start COMMAND...: in the background; $started is its pid
start() {
	"$@" &
	started=$!
	pids="$pids $started"
}

stop() { # SIGNAL PID
	kill "-$1" "$2"
	wait "$2" 2>/dev/null
}

lines=$work/lines.jsonl

netlog_up() { # OPTIONS
	: >"$lines"
	start build/netlog -q "$@" -o "file:$lines"
	netlog_pid=$started
	wait_for 20 grep -q '"event_type":"start"' "$lines" || die "netlog did not start"
}

# ---- ring ----

ring() {
	echo "# events a second wanted | ring | events a second made | lost | lost % | netlog on a CPU, % of the time | waiting for one, %"
	for rate in ${RATES:-250000 500000 1000000 2000000}; do
		for size in ${SIZES:-262144 1048576 4194304 8388608 16777216 67108864}; do
			netlog_up -e rtt --ring-size=$size
			made=$(build/bench/produce build/bench/linked.bpf.o "$netlog_pid" $rate 2000) ||
				die "no events"
			# on the CPU, and ready to run without one, ns: schedstat, Documentation/scheduler
			read -r busy waited _ </proc/"$netlog_pid"/schedstat
			stop TERM "$netlog_pid"
			# events N ns N
			set -- $made
			tail -n 1 "$lines" | jq -r --arg rate $rate --arg size $size --arg made "$2" --arg ns "$4" \
				--arg busy "$busy" --arg waited "$waited" \
				'"ring | \($rate) | \(($size | tonumber) / 1024) KiB | " +
				"\(($made | tonumber) * 1e9 / ($ns | tonumber) | floor) | \(.lost.rtt) | " +
				"\(10000 * .lost.rtt / .produced.rtt | floor | . / 100) | " +
				"\(100 * ($busy | tonumber) / ($ns | tonumber) | floor) | " +
				"\(100 * ($waited | tonumber) / ($ns | tonumber) | floor)"'
			rm "$lines"
		done
	done
}

# ---- traffic ----

net_up() {
	[ -z "${net:-}" ] || return 0
	start unshare -n sleep 3600
	net=/proc/$started/ns/net
	wait_for 5 [ "$(readlink "$net")" != "$(readlink /proc/self/ns/net)" ]
	wait_for 5 nsenter --net="$net" ip link set lo up
	for address in 10.77.0.1/32 10.77.0.2/32 fd77::1/128 fd77::2/128; do
		nsenter --net="$net" ip addr add $address dev lo
	done
}

# traffic MESSAGES: one byte there and one back, that often; $took is the time, ns
traffic() {
	local before
	before=$(date +%s%N)
	build/traffic --client "$net" --server "$net" --messages "$1" >/dev/null || die "traffic failed"
	took=$(($(date +%s%N) - before))
}

# ---- kernel ----

# programs PID: NAME RUNS NANOSECONDS of each program that it holds
programs() {
	for info in $(grep -l '^prog_type:' /proc/"$1"/fdinfo/*); do
		id=$(sed -n 's/^prog_id:\s*//p' "$info")
		echo "$(bpftool -j prog show id "$id" | jq -r .name)" \
			"$(sed -n 's/^run_cnt:\s*//p' "$info") $(sed -n 's/^run_time_ns:\s*//p' "$info")"
	done
}

attached() { # PID
	grep -qs '^tp_name:' /proc/"$1"/fdinfo/*
}

# cost WORDS OPTIONS: each program's mean, less that of an empty one on the same packets
cost() {
	local words=$1
	shift
	netlog_up "$@"
	start build/bench/produce empty build/bench/linked.bpf.o
	local empty=$started
	wait_for 20 attached "$empty" || die "no empty program"
	traffic "$messages"
	programs "$empty" >"$work/empty"
	programs "$netlog_pid" | awk -v words="$words" '
		NR == FNR { empty = $3 / $2; next }
		$2 > 1000 { printf "kernel | %s | %s | %.1f | %.0f\n", words, $1, $3 / $2 / empty, $3 / $2 - empty }' \
		"$work/empty" -
	stop TERM "$empty"
	stop TERM "$netlog_pid"
}

kernel() {
	net_up
	stats_enabled=$(cat /proc/sys/kernel/bpf_stats_enabled)
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	echo "# what | program | times an empty program | ns more than an empty program"
	cost "latency, a record each" -e latency --latency-stage=tcp
	cost "latency, all filtered out" -e latency --latency-stage=tcp --min-latency=10000000
	cost "rtt" -e rtt
	cost "rtt, but one a second" -e rtt --rtt-interval=1000
	echo "$stats_enabled" >/proc/sys/kernel/bpf_stats_enabled
	stats_enabled=
}

# ---- tools ----

# on-CPU nanoseconds so far of a process and its children
cpu_of() {
	for pid in "$1" $(pgrep -P "$1"); do
		cat /proc/"$pid"/task/*/schedstat 2>/dev/null
	done | awk '{ ns += $1 } END { printf "%.0f\n", ns }'
}

size_of() { stat -c %s "$lines"; }

quiet_for_a_second() {
	local before
	before=$(size_of)
	sleep 1
	[ "$(size_of)" = "$before" ]
}

has_begun() {
	local before
	before=$(size_of)
	traffic 3
	sleep 0.2
	[ "$(size_of)" -gt "$before" ]
}

# tool NAME COMMAND...: one round
tool() {
	local name=$1 before cpu count lost=0 plain
	shift
	traffic "$messages"
	plain=$took
	: >"$lines"
	"$@" >"$lines" 2>"$work/words" &
	local pid=$!
	pids="$pids $pid"
	wait_for 3 has_begun || die "$name gives no lines: $(cat "$work/words")"
	wait_for 1 quiet_for_a_second
	before=$(wc -l <"$lines")
	cpu=$(cpu_of "$pid")
	traffic "$messages"
	wait_for 6 quiet_for_a_second
	cpu=$(($(cpu_of "$pid") - cpu))
	count=$(($(wc -l <"$lines") - before))
	case $name in
	tcpdump | tshark) stop INT "$pid" ;;
	*) stop TERM "$pid" ;;
	esac
	case $name in
	netlog) lost=$(tail -n 1 "$lines" | jq '.lost | add') ;;
	bpftrace) lost=$(sed -n 's/^Lost \([0-9]*\) events.*/\1/p' "$lines" "$work/words" | awk '{ n += $1 } END { print n + 0 }') ;;
	*) lost=$(sed -n 's/^\([0-9]*\) packets\{0,1\} dropped.*/\1/p' "$work/words" | head -n 1) ;;
	esac
	[ "$name" != tshark ] || count=$((count / 2)) # -T ek: an index line before each
	echo "$name $cpu $count ${lost:-0} $plain $took" >>"$work/rounds"
}

# The same fields as netlog's line of the same hook; the traffic is IPv4.
bpftrace_program='tracepoint:tcp:tcp_probe {
	$sk = (struct sock *)args->skaddr;
	printf("{\"timestamp\":%llu,\"event_type\":\"latency\",\"ip_version\":4,\"proto\":\"tcp\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":%d,\"cgroup_id\":\"%llu\",\"netns\":%u,\"sock_cookie\":\"%llu\",\"stage\":\"tcp\",\"latency_ns\":%llu,\"len_bytes\":%d,\"tcp_seq\":%u}\n",
		nsecs, ntop($sk->__sk_common.skc_daddr), args->dport, ntop($sk->__sk_common.skc_rcv_saddr),
		args->sport, cgroup, $sk->__sk_common.skc_net.net->ns.inum, args->sock_cookie,
		nsecs, args->data_len, args->snd_nxt);
}'

tools() {
	net_up
	: >"$work/rounds"
	for _ in $(seq "$rounds"); do
		tool netlog build/netlog -q -e latency --latency-stage=tcp
		! command -v bpftrace >/dev/null || tool bpftrace bpftrace -e "$bpftrace_program"
		! command -v tcpdump >/dev/null || tool tcpdump nsenter --net="$net" tcpdump -n -l -i lo tcp
		! command -v tshark >/dev/null || tool tshark nsenter --net="$net" tshark -n -l -i lo -T ek
	done
	echo "# tool | CPU s for a million lines | times netlog | lines | lost | lost % | traffic's time, times alone"
	for name in netlog bpftrace tcpdump tshark; do
		grep -q "^$name " "$work/rounds" || continue
		per_line=$(awk -v n=$name '$1 == n { printf "%.3f\n", $2 / $3 / 1000 }' "$work/rounds" | median)
		[ $name != netlog ] || own=$per_line
		slower=$(awk -v n=$name '$1 == n { print $6 / $5 }' "$work/rounds" | median)
		awk -v n=$name -v per_line="$per_line" -v own="$own" -v slower="$slower" '
			$1 == n { lines += $3; lost += $4 }
			END { printf "tools | %s | %s | %.1f | %d | %d | %.1f | %.2f\n", n, per_line, per_line / own,
				lines, lost, 100 * lost / (lines + lost), slower }' "$work/rounds"
	done
}

[ $# -gt 0 ] || set -- ring kernel tools
for part in "$@"; do
	case $part in
	ring | kernel | tools) "$part" ;;
	*) die "no part $part: ring, kernel, tools" ;;
	esac
done
