#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# filter.sh - what a packet costs that a filter leaves out, at tcp_probe, next to an empty program there.
# As root, on a quiet host, after `make build/bench/filter`. All run at once, on the same packets.
. "$(dirname "$0")/../live/lib.sh"

many=$(seq -s , -f 192.0.2.%g 1 32)
names=(none port src-port address addresses)
filters=("--min-latency=4000000000" "--port=1" "--not-src-port=1-65535" "--addr=192.0.2.0/24" "--addr=$many")

test_cost() {
	wire_up
	# shellcheck disable=SC2034 # traffic() uses it
	ns0=$ns1
	mkfifo "$work/end"
	build/bench/filter <"$work/end" >"$work/empty" &
	bench=$!
	exec {end}>"$work/end"
	wait_for 10 grep -qs ready "$work/empty" || fail "no empty program"
	pids=()
	for i in "${!names[@]}"; do
		# shellcheck disable=SC2086
		"$netlog" -q -e latency --latency-stage=tcp ${filters[$i]} -o "file:$work/$i" {end}>&- &
		pids+=($!)
		wait_for 30 grep -qs start "$work/$i" || fail "no start"
	done
	traffic --messages 20000
	for i in "${!names[@]}"; do
		for fd in /proc/"${pids[$i]}"/fd/*; do
			id=$(awk '/^prog_id:/ { print $2 }' "/proc/${pids[$i]}/fdinfo/${fd##*/}")
			[ -n "$id" ] || continue
			bpftool prog show id "$id" -j | jq -r 'select(.name | startswith("latency__tcp_pr")) | "\(.run_time_ns) \(.run_cnt)"'
		done | head -n 1 >"$work/cost.$i"
	done
	exec {end}>&-
	wait $bench
	tail -n 1 "$work/empty" >"$work/cost.empty"
	empty=$(awk '{ print $1 / $2 }' "$work/cost.empty")
	echo "# empty program: $empty ns with the clock's own time, $(awk '{ print $2 }' "$work/cost.empty") runs"
	for i in "${!names[@]}"; do
		awk -v name="${names[$i]}" -v empty="$empty" '{ printf "# %s: %.1f times an empty program, %.1f ns more\n", name, $1 / $2 / empty, $1 / $2 - empty }' "$work/cost.$i"
	done
	kill "${pids[@]}"
}

run_tests
