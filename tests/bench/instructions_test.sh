#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Limits for the cost of an event in user space, from the record to the buffer that is written: a count of
# instructions, which no other process of the machine changes.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0

# at_most NAME LIMIT FLOWS
at_most() {
	count=$(tests/bench/instructions.sh path "$3") || count=
	echo "# $1: $count instructions, $3 flows"
	if [ -n "$count" ] && [ "$count" -gt 0 ] && [ "$count" -le "$2" ]; then
		echo "ok $1"
	else
		echo "not ok $1"
		failed=1
	fi
}

at_most an_rtt_event_takes_at_most_570_instructions 570 1000
# a flood of new connections: no text of theirs is in the cache
at_most an_event_of_a_flow_never_seen_takes_at_most_1280_instructions 1280 100000000
# another format is data that is walked; also where nothing can be remembered
at_most_twice() { # NAME FLOWS
	flat=$(tests/bench/instructions.sh netlog "$2") ecs=$(tests/bench/instructions.sh ecs "$2")
	echo "# $1: $ecs to $flat, $2 flows"
	if [ "${flat:-0}" -gt 0 ] && [ "${ecs:-0}" -gt 0 ] && [ "$ecs" -le $((2 * flat)) ]; then
		echo "ok $1"
	else
		echo "not ok $1"
		failed=1
	fi
}
at_most_twice an_ecs_line_takes_at_most_twice_the_instructions_of_a_flat_one 1000
at_most_twice so_does_an_ecs_line_of_a_flow_never_seen 100000000
exit $failed
