#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Sampling: weights add up to the packets that the generator's own loopback has counted, flows are kept whole,
# rates are held, and --adaptive loses nothing where netlog without it does. Packets on their way out (stage
# qdisc) are counted, since not one of them is ever missed.
#
# alone: its floods would fill the rings of the tests beside it, and theirs its own
. "$(dirname "$0")/lib.sh"

packets=(--events=latency --latency-stage=qdisc --proto=tcp) # IPv6 talks by itself

# flows OPTIONS: many short connections on the loopback of a wire's end; $truth has their account
flows() {
	truth=$work/truth
	timeout 120 build/flows --loopback "$ns0" "$@" >"$truth" || fail "flows $* failed"
}

# of_truth FIELD
of_truth() { jq ".$1" "$truth"; }

# latency [FILTER]: its lines of the generator's namespaces, through a jq filter
latency() {
	jq -nr --slurpfile truth "$truth" '($truth[0] | [.client_netns, .server_netns]) as $netns | inputs |
		select(.event_type == "latency" and .proto == "tcp" and (.netns | IN($netns[]))) | '"$1" "$lines"
}

# The ports of flows that have lines, by a further jq condition
flows_with() { latency "select($1) | [.src_port, .dest_port] | min" | sort -u; }

# near WHAT SEEN TRUE PERCENT: off by no more than that part of the true value
near() {
	[ "$3" -gt 0 ] && [ $((100 * ($2 > $3 ? $2 - $3 : $3 - $2))) -le $(($3 * $4)) ] ||
		fail "$1: $2, not $3 within $4 %"
}

# figure NAME: of latency, in the stop line
figure() { tail -n 1 "$lines" | jq ".$1.latency"; }

# started: netlog in the background, as $netlog_pid, has written its first line to $lines
started() {
	wait_for 30 grep -qs '"event_type":"start"' "$lines" || fail "no start: $(cat "$work/netlog.log")"
}

# The estimate is off by chance. But the flows are the same in each run, and so are their hashes: it is off by
# the same amount each time.
test_weights_add_up_to_the_truth_when_one_in_four_flows_is_kept() {
	wire_up
	for family in 4 6; do
		netlog_start "${packets[@]}" --sample=latency=4
		flows --family $family --connections 20000
		netlog_stop
		check_books
		/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
		[ "$(of_truth packets)" -ge 100000 ] || fail "only $(of_truth packets) packets"
		equal "lost" "$(figure lost)" 0
		equal "weights" "$(latency .weight | sort -u)" 4
		near "sum of weights, IPv$family" "$(latency .weight | sum)" "$(of_truth packets)" 5
		equal "produced and sampled out" $(($(figure produced) + $(figure sampled_out))) \
			"$(of_truth packets)"
	done
}

# Over a wire: two ends in namespaces of their own. Both ends, all stages and other events agree on which
# flows are kept.
test_of_a_flow_all_lines_are_kept_or_none() {
	local one_in
	wire_up
	for one_in in 3 6; do
		netlog_start --events=latency,rtt --sample=latency=$one_in,rtt=$one_in
		truth=$work/truth
		timeout 120 build/flows --client "$ns0" --server "$ns1" --connections 300 --messages 5 >"$truth" ||
			fail "flows failed"
		netlog_stop
		check_books
		flows_with '.stage == "qdisc"' >"$work/kept.$one_in"
		within "flows kept" "$(wc -l <"$work/kept.$one_in")" $((300 / one_in / 2)) $((300 / one_in * 2))
		for end in client server; do
			equal "flows at the $end" "$(flows_with ".netns == \$truth[0].${end}_netns")" \
				"$(cat "$work/kept.$one_in")"
		done
		# five messages each way; one that waits while very many others come has no line
		latency 'select(.stage == "app") | [.src_port, .dest_port] | min' | sort | uniq -c |
			awk '$1 >= 7 { print $2 }' >"$work/whole"
		equal "flows that are whole" "$(cat "$work/whole")" "$(cat "$work/kept.$one_in")"
		equal "rtt lines of flows that are not kept" "$(jq --argjson own "$(of_truth client_netns)" \
			'select(.event_type == "rtt" and .netns == $own) | [.src_port, .dest_port] | min' "$lines" |
			sort -u | comm -23 - "$work/kept.$one_in" | count)" 0
	done
	equal "flows of 1 in 6 that are not among 1 in 3" "$(comm -13 "$work/kept.3" "$work/kept.6" | count)" 0
	wire_down
}

# In the second that follows any line there are no more lines than the rate, a tenth of it, and one for each CPU.
# The weight of those left out is on the lines that follow.
test_a_rate_is_held_and_the_lines_carry_what_it_left_out() {
	wire_up
	netlog_start "${packets[@]}" --max-rate=latency=1000/s
	flows --connections 20000
	netlog_stop
	check_books
	equal "lost" "$(figure lost)" 0
	[ "$(figure sampled_out)" -gt 50000 ] || fail "only $(figure sampled_out) left out: no test"
	equal "lines that came too soon" "$(jq -r 'select(.event_type == "latency") | .timestamp' "$lines" |
		sort | awk -F '[T:Z]' -v most=$((1100 + $(nproc) + 1)) '
			{ t[NR] = ($2 * 60 + $3) * 60 + $4 }
			NR > most && t[NR] >= t[NR - most] && t[NR] - t[NR - most] < 1 { soon++ }
			END { print soon + 0 }')" 0
	near "sum of weights" "$(latency '.weight // 1' | sum)" "$(of_truth packets)" 5
	# weight that waits for a CPU's next line at the end of the run is on none
	within "weights of all lines" "$(jq 'select(.event_type == "latency") | .weight // 1' "$lines" | sum)" \
		"$(figure emitted)" $(($(figure produced) + $(figure sampled_out)))
}

# slow_flood CONDITION OPTIONS: a reader that takes 64 KiB ten times a second, some 1 500 lines, while more
# than 10 000 events come, and a ring that holds some 1 000. The end comes when the condition is met.
slow_flood() {
	local condition=$1 reader
	shift
	mkfifo "$work/pipe"
	lines=$work/lines
	: >"$lines" # there may be another run's
	/usr/bin/python3 -c '
import os, time
while part := os.read(0, 65536):
	os.write(1, part)
	time.sleep(0.1)' <"$work/pipe" >"$lines" &
	reader=$!
	$netlog "${ours[@]}" "${packets[@]}" --ring-size=262144 --stats-interval=0 "$@" >"$work/pipe" 2>"$work/netlog.log" &
	netlog_pid=$!
	started
	flows --connections 20000
	wait_for 30 $condition || fail "not $condition: $(tail -n 1 "$lines")"
	# a line on each CPU, for the weight that waits for one there
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		taskset -c "$cpu" build/flows --loopback "$ns0" --messages 10 >/dev/null || fail "flows failed"
	done
	kill -TERM "$netlog_pid"
	wait "$netlog_pid"
	equal "exit status ($(cat "$work/netlog.log"))" $? 0
	wait $reader
	rm "$work/pipe"
	check_books
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
}

test_a_flood_that_loses_without_adaptive_loses_nothing_with_it() {
	wire_up
	slow_flood true
	[ "$(figure lost)" -gt 0 ] || fail "nothing is lost without: no test"
	equal "sampled out without" "$(figure sampled_out)" 0

	calm() { grep '"adaptive_one_in"' "$lines" | tail -n 1 | grep -q '"adaptive_one_in":1[,}]'; }
	slow_flood calm --adaptive
	equal "lost" "$(figure lost)" 0
	equal "lost lines" "$(grep -c '"event_type":"lost"' "$lines")" 0
	[ "$(figure sampled_out)" -gt 0 ] || fail "nothing was sampled out"
	near "sum of weights" "$(jq 'select(.event_type == "latency") | .weight // 1' "$lines" | sum)" \
		"$(of_truth packets)" 5
	equal "the filter" "$(head -n 1 "$lines" | jq -c .filters.adaptive)" '["true"]'
	jq 'select(.event_type == "stats") | .adaptive_one_in' "$lines" >"$work/one_in"
	[ "$(head -n 1 "$work/one_in")" -gt 1 ] || fail "the first stats line: $(cat "$work/one_in")"
	equal "the last stats line's" "$(tail -n 1 "$work/one_in")" 1
}

# configure SETTINGS: a further member of the object, or nothing
configure() {
	echo "{\"events\": \"latency\", \"latency-stage\": \"qdisc\", \"netns\": \"$(stat -Lc %i "$ns0")\", \"output\": \"file:$lines\"$1}" \
		>"$work/conf"
}

# The kernel's numbers of netlog's links
links() { cat "/proc/$netlog_pid/fdinfo/"* | grep '^link_id:' | sort; }

test_sampling_changes_with_sighup_while_hooks_stay_and_no_line_is_lost() {
	wire_up
	lines=$work/lines
	configure ''
	$netlog --include-ssh -c "$work/conf" 2>"$work/netlog.log" &
	netlog_pid=$!
	started
	local before flows_pid change=0 settings written
	before=$(links)
	[ -n "$before" ] || fail "no links"
	timeout 120 build/flows --loopback "$ns0" --connections 40000 >"$work/truth" &
	flows_pid=$!
	for settings in ', "sample": ["latency=5"]' ', "max-rate": "latency=2000/s"' ', "adaptive": true' \
		', "sample": "latency=2", "max-rate": ["latency=5000"]'; do
		configure "$settings"
		kill -HUP "$netlog_pid"
		change=$((change + 1))
		reloaded() { [ "$(grep -c '"event_type":"reload"' "$lines")" = $change ]; }
		wait_for 10 reloaded || fail "no reload: $(cat "$work/netlog.log")"
		written=$(wc -l <"$lines")
		grown() { [ "$(wc -l <"$lines")" -gt $((written + 500)) ]; }
		wait_for 10 grown || fail "no lines with $settings"
	done
	kill -0 $flows_pid 2>/dev/null || fail "the flows are over: no test"
	wait $flows_pid || fail "flows failed"
	truth=$work/truth
	equal "links" "$(links)" "$before"
	netlog_stop
	check_books
	equal "lost" "$(figure lost)" 0
	equal "filters" "$(jq -c 'select(.event_type == "reload") | .filters | del(.["latency-stage"], .netns)' "$lines" |
		xargs -d '\n')" '{"sample":["latency=5"]} {"max-rate":["latency=2000"]} {"adaptive":["true"]} {"sample":["latency=2"],"max-rate":["latency=5000"]}'
	near "sum of weights" "$(latency '.weight // 1' | sum)" "$(of_truth packets)" 5
}

# A busy host would else fill the disk with what the service writes.
test_the_services_own_configuration_bounds_each_event_and_each_file() {
	$netlog -c systemd/netlog.conf --print-config >"$work/conf" || fail "status $?"
	equal "events without a rate" "$(jq -c --argjson events "$(events_but "")" \
		'$events - (."max-rate" | map(sub("=.*"; "")))' "$work/conf")" "[]"
	equal "files without a size" "$(jq -c '[.output[] | select(startswith("file:") and (contains(",max-size=") | not))]' \
		"$work/conf")" "[]"
	[ "$(jq '.output | map(select(startswith("file:"))) | length' "$work/conf")" -gt 0 ] || fail "no file: no test"
}

run_tests
