#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What loads and attaches on this kernel: a field's misspelt name shows nowhere else.
. "$(dirname "$0")/../live/lib.sh"

test_each_part_of_each_event_has_a_hook() {
	status_of timeout 60 "$netlog" -d 0.1 -o "file:$work/lines"
	equal "exit status ($message)" "$status" 0
	# of a part's hooks one is enough
	head -n 1 "$work/lines" | jq -r '.hooks | group_by([.event, .part])[] | select(all(.[]; has("error"))) |
		.[] | "# \(.event) \(.part): \(.hook): \(.error)"' >"$work/refused"
	cat "$work/refused"
	equal "parts without a hook" "$(count <"$work/refused")" 0
	equal "events" "$(head -n 1 "$work/lines" | jq -c .events)" '["retransmit","rtt","latency"]'
}

run_tests
