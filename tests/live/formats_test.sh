#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Formats: each output has its own, all tell the same, and each is valid by its own schema.
. "$(dirname "$0")/lib.sh"

# The words of `format=`, as a mistake is answered
formats() {
	$netlog --check-config -o stdout,format=? 2>&1 | sed -n 's/.*known are: //p' | tr -d ','
}

# told_by FORMAT FILE: seq, type, addresses and ports of its lines, one a line
told_by() {
	case $1 in
	flat) jq -c '[.seq, .event_type, .src_ip, .src_port, .dest_ip, .dest_port, .pid, .sock_cookie]' "$2" ;;
	ecs) jq -c '[."event.sequence", (."event.dataset" | ltrimstr("netlog.")), ."source.ip", ."source.port",
		."destination.ip", ."destination.port", ."process.pid", ."netlog.sock_cookie"]' "$2" ;;
	*) fail "the format $1 is not known here: say how it tells these" ;;
	esac
}

test_a_run_in_all_formats_tells_the_same_and_so_does_its_replay() {
	wire_up --drop-every 20
	outputs=() again=()
	for format in $(formats); do
		outputs+=(-o "file:$work/$format,format=$format")
		again+=(-o "file:$work/again.$format,format=$format")
	done
	[ "${#outputs[@]}" -ge 4 ] || fail "fewer than two formats: $(formats)"
	netlog_start "${outputs[@]}" --ring-size=16384 --stats-interval=0.1 -w "$work/r"
	traffic_both --bytes 300000 --messages 20
	netlog_stop
	check_books
	for type in retransmit rtt latency stats lost start stop; do
		grep -q "\"event_type\":\"$type\"" "$lines" || fail "no $type line: no test"
	done
	told_by flat "$lines" >"$work/told"
	"$netlog" -r "$work/r" "${again[@]}" 2>"$work/log" || fail "status $?: $(cat "$work/log")"
	for format in $(formats); do
		/usr/bin/python3 tests/live/validate.py $netlog "$work/$format" "$format" || fail "$format: a line is not valid"
		told_by "$format" "$work/$format" | cmp - "$work/told" || fail "$format tells something else"
		cmp "$work/$format" "$work/again.$format" || fail "$format: a replay differs"
	done
	cmp "$work/flat" "$lines" || fail "flat is not what there is without format="
}

# A line of one format is never cut into by one of the other: the next line has the new one.
test_a_reload_gives_an_output_another_format() {
	wire_up
	conf() { echo "{ \"output\": \"file:$work/lines$1\" }" >"$work/conf"; }
	conf ,format=ecs
	lines=$work/lines
	"$netlog" "${ours[@]}" -c "$work/conf" 2>"$work/netlog.log" &
	netlog_pid=$!
	wait_for 30 grep -qs netlog.start "$lines" || fail "no start line: $(cat "$work/netlog.log")"
	traffic --messages 20
	conf ""
	kill -HUP "$netlog_pid"
	wait_for 10 grep -q '"event_type":"reload"' "$lines" || fail "no reload line in the other format"
	traffic --messages 20
	kill -TERM "$netlog_pid"
	wait "$netlog_pid"
	equal "exit status" $? 0
	grep '^{"@timestamp"' "$lines" >"$work/before"
	grep '^{"timestamp"' "$lines" >"$work/after"
	equal "all lines" "$(cat "$work/before" "$work/after" | cmp - "$lines" && echo same)" same
	/usr/bin/python3 tests/live/validate.py $netlog "$work/before" ecs || fail "not valid"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/after" || fail "not valid"
	equal "gaps of seq" "$( (told_by ecs "$work/before"; told_by flat "$work/after") | jq -s 'map(.[0]) |
		[., [range(1; length + 1)]] | .[0] == .[1]')" true
}

run_tests
