#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# filter.sh - the cost of a packet that a filter leaves out, at tcp_probe, next to an empty program there, for
# each family. As root, on a quiet host, after `make build/bench/filter`. All programs see the same packets at the
# same time. The first to run finds the caches cold, so the order turns from round to round, and the figures are
# medians.
. "$(dirname "$0")/../live/lib.sh"

rounds=3
many4=$(seq -s , -f 192.0.2.%g 1 2 253)
many6=$(seq -s , -f 2001:db8::%g:0/112 1 2 253)
names=("no filter" "a port" "source ports" "a network" "127 networks (IPv4)" "127 networks (IPv6)"
	"a port of an output" "a port of each of 8 outputs")
filters=(" --min-latency=4000000000" " --port=1" " --not-src-port=1-65535" " --addr=192.0.2.0/24" " --addr=$many4"
	" --addr=$many6" ",port=1" ",port=1$(for i in {1..7}; do
		echo -n " -o file:/dev/$(printf './%.0s' $(seq $i))null,port=1"
	done)") # what begins with a comma is the output's own

# round FAMILY NUMBER: a line "NAME|TIMES|MORE" for each into $work/costs
round() {
	local i k pids=() fd id
	build/bench/filter <"$work/end" >"$work/empty" &
	bench=$!
	exec {end}>"$work/end"
	wait_for 10 grep -qs ready "$work/empty" || fail "no empty program"
	for k in "${!names[@]}"; do
		i=$(((k + $2) % ${#names[@]}))
		rm -f "$work/$i"
		# shellcheck disable=SC2086
		"$netlog" -q --include-ssh -e latency --latency-stage=tcp -o file:$work/$i${filters[$i]} {end}>&- &
		pids[i]=$!
		wait_for 30 grep -qs start "$work/$i" || fail "no start"
	done
	traffic --family "$1" --messages 10000
	for i in "${!names[@]}"; do
		for fd in /proc/"${pids[$i]}"/fd/*; do
			id=$(awk '/^prog_id:/ { print $2 }' "/proc/${pids[$i]}/fdinfo/${fd##*/}")
			[ -n "$id" ] || continue
			bpftool prog show id "$id" -j | jq -r 'select(.name | startswith("latency__tcp_pr")) | "\(.run_time_ns) \(.run_cnt)"'
		done | head -n 1 >"$work/cost.$i"
	done
	exec {end}>&-
	wait $bench
	kill "${pids[@]}"
	wait "${pids[@]}"
	for i in "${!names[@]}"; do
		tail -n 1 "$work/empty" | cat - "$work/cost.$i" | awk -v name="${names[$i]}" '
			NR == 1 { empty = $1 / $2 }
			NR == 2 { printf "%s|%.2f|%.1f\n", name, $1 / $2 / empty, $1 / $2 - empty }'
	done >>"$work/costs"
}

test_cost() {
	local family number name
	wire_up
	# shellcheck disable=SC2034 # traffic() uses it
	ns0=$ns1
	mkfifo "$work/end"
	for family in 4 6; do
		: >"$work/costs"
		for number in $(seq $rounds); do
			round $family "$number"
		done
		for name in "${names[@]}"; do
			awk -F '|' -v name="$name" '$1 == name { print $2 }' "$work/costs" | median >"$work/times"
			awk -F '|' -v name="$name" '$1 == name { print $3 }' "$work/costs" | median >"$work/more"
			echo "# IPv$family, $name: $(cat "$work/times") times an empty program, $(cat "$work/more") ns more"
		done
	done
}

run_tests
