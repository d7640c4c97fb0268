#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make demo: shows real lines, ends by itself, and leaves nothing behind, also when interrupted.
. "$(dirname "$0")/lib.sh"

# A demo of our own is told apart by its TMPDIR, and is in a network namespace of its own.
demo_of_our_own() {
	export TMPDIR=$work/tmp
	mkdir "$TMPDIR"
	wire_up
	before=$(traces)
}

# Things that a demo could leave behind: processes (BPF programs and namespaces live as long as they do), files,
# interfaces
traces() {
	grep -lsxzF "TMPDIR=$TMPDIR" /proc/[0-9]*/environ
	ls "$TMPDIR"
	nsenter --net="$ns0" ip -o link | cut -d : -f 2
}

test_the_demo_shows_each_event_and_leaves_nothing_behind() {
	demo_of_our_own
	witness_start
	timeout 30 nsenter --net="$ns0" examples/demo.sh >"$work/out" 2>&1 </dev/null || fail "status $?: $(cat "$work/out")"
	witness_end
	for type in retransmit rtt latency; do
		grep -q "\"event_type\":\"$type\"" "$work/out" || fail "no $type: $(cat "$work/out")"
	done
	sed -nE 's/^IPv[46]: netlog ([0-9]+), TCP_INFO ([0-9]+)$/\1 \2/p' "$work/out" >"$work/both"
	equal "connections" "$(count <"$work/both")" 2
	# both agree, except for calls that the kernel skipped
	seen=$(witnessed segments "$(grep '"event_type":"retransmit"' "$work/out" | jq .netns)")
	within "segments told of both" "$(cut -d ' ' -f 1 "$work/both" | sum)" "$seen" \
		"$(cut -d ' ' -f 2 "$work/both" | sum)"
	[ "$seen" -gt 0 ] || fail "the witness saw nothing: $(cat "$work/witness")"
	equal "what is left" "$(traces)" "$before"
}

test_an_interrupted_demo_leaves_nothing_behind() {
	demo_of_our_own
	for signal in INT TERM; do
		: >"$work/out"
		# as from a terminal: SIGINT is not ignored, and goes to all that the demo has started
		setsid env --default-signal=INT nsenter --net="$ns0" examples/demo.sh >"$work/out" 2>&1 </dev/null &
		pid=$!
		wait_for 20 grep -q 'Two namespaces' "$work/out" || fail "it did not start"
		kill -$signal -- -"$pid"
		wait $pid
		equal "what is left after SIG$signal" "$(traces)" "$before"
	done
}

run_tests
