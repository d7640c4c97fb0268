#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Netlog's wakeups when there is little to log, and how soon a line is there.
#
# alone: it measures wakeups and delays
. "$(dirname "$0")/lib.sh"

# How often netlog went to sleep of its own accord: each time it had been woken before.
sleeps() { sed -n 's/^voluntary_ctxt_switches:\s*//p' /proc/"$netlog_pid"/status; }

# A third of a second without a wakeup. wait_for counts tries: `wait_for 1` is 20 of these.
asleep() {
	local before
	before=$(sleeps)
	sleep 0.3
	[ "$(sleeps)" = "$before" ]
}

# Packets come all the time, but none that is wanted: nothing wakes netlog, and it looks at nothing.
test_without_events_netlog_is_never_woken() {
	wire_up
	netlog_start -e latency --min-latency=1000000000 --stats-interval=0
	chatter 1
	local chatter_pid=$! before
	wait_for 1 asleep || fail "it does not come to rest"
	before=$(sleeps)
	sleep 3
	equal "wakeups in 3 s" $(($(sleeps) - before)) 0
	kill -0 $chatter_pid || fail "there was no traffic"
	netlog_stop
	# lines, since `produced` includes calls that the kernel has skipped anywhere on the host
	equal "events" "$(grep -c '"event_type":"latency"' "$lines")" 0
}

# After its last event it looks at the ring once more, and then sleeps: see run/pump.c.
test_after_an_event_netlog_sleeps_again() {
	wire_up
	netlog_start -e latency --latency-stage=tcp --stats-interval=0
	traffic --messages 3
	wait_for 1 asleep || fail "it does not come to rest"
	local before
	before=$(sleeps)
	sleep 1
	equal "wakeups in a second" $(($(sleeps) - before)) 0
	netlog_stop
	check_books
}

# Of each read its first line, if no other came shortly before it, against the reader's clock
reader='
import json, os, statistics, sys, time
delays, rest, last = [], b"", 0
while len(delays) < 50:
    chunk = os.read(0, 1 << 20)
    now = time.time()
    if not chunk:
        sys.exit("the lines end")
    lone, last = now - last > 0.03, now
    lines = (rest + chunk).split(b"\n")
    rest = lines.pop()
    events = [json.loads(line) for line in lines if b"\"latency\",\"seq\"" in line]
    if lone and events:
        text = events[0]["timestamp"]
        second = time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        delays.append(now - second - float(text[19:-1]))
print("%d %d %d" % tuple(1000000 * x for x in (min(delays), statistics.median(delays), max(delays))))
'

# The middle one of fifty: a host that is busy with other things may hold a single one up for long.
test_a_lone_event_is_on_the_pipe_within_5_ms() {
	wire_up
	chatter 60
	TZ=UTC timeout 60 $netlog -q "${ours[@]}" -e latency --latency-stage=tcp --stats-interval=0 |
		TZ=UTC timeout 60 /usr/bin/python3 -c "$reader" >"$work/delays"
	read -r least middle most <"$work/delays"
	echo "# us from the event to its reader: least $least, median $middle, most $most"
	within "the median, us" "$middle" 0 5000
}

run_tests
