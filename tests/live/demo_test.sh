#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make demo: shows real lines, ends by itself, and leaves nothing behind, also when interrupted.
. "$(dirname "$0")/lib.sh"

# What a demo could leave behind: processes (BPF programs and namespaces live as long as they do), files
traces() {
	# every process whose program or namespace is a demo's
	for pid in /proc/[0-9]*; do
		case $(readlink "$pid/exe") in
		"$PWD"/build/*) echo "$pid" ;;
		esac
	done
	ls -d "$TMPDIR"/* 2>/dev/null
	ls /sys/class/net
}

test_the_demo_shows_each_event_and_leaves_nothing_behind() {
	export TMPDIR=$work/tmp
	mkdir "$TMPDIR"
	before=$(traces)
	timeout 30 examples/demo.sh >"$work/out" 2>&1 </dev/null || fail "status $?: $(cat "$work/out")"
	for type in retransmit rtt latency; do
		grep -q "\"event_type\":\"$type\"" "$work/out" || fail "no $type: $(cat "$work/out")"
	done
	grep -E '^IPv[46]: netlog ([0-9]+), TCP_INFO \1$' "$work/out" | count >"$work/equal"
	equal "connections for which both agree ($(grep IPv "$work/out"))" "$(cat "$work/equal")" 2
	equal "what is left" "$(traces)" "$before"
}

test_an_interrupted_demo_leaves_nothing_behind() {
	export TMPDIR=$work/tmp
	mkdir "$TMPDIR"
	before=$(traces)
	for signal in INT TERM; do
		: >"$work/out"
		# as from a terminal: SIGINT is not ignored, and goes to all that the demo has started
		setsid env --default-signal=INT examples/demo.sh >"$work/out" 2>&1 </dev/null &
		pid=$!
		wait_for 20 grep -q 'Two namespaces' "$work/out" || fail "it did not start"
		kill -$signal -- -"$pid"
		wait $pid
		equal "what is left after SIG$signal" "$(traces)" "$before"
	done
}

run_tests
