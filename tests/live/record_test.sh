#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Record and replay: a recording gives the lines that the run itself wrote, byte for byte.
. "$(dirname "$0")/lib.sh"

unprivileged="setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs"

# recorded OPTIONS: netlog in the background, its lines in $lines, the recording in $work/r
recorded() {
	lines=$work/lines
	: >"$lines"
	"$netlog" "${ours[@]}" -o "file:$lines" -w "$work/r" "$@" 2>"$work/netlog.log" &
	netlog_pid=$!
	wait_for 30 started_or_ended
	grep -q '"event_type":"start"' "$lines" || fail "netlog did not start: $(cat "$work/netlog.log")"
}

# same A B: the files are the same, and not empty
same() {
	[ -s "$1" ] || fail "$1 is empty"
	cmp "$1" "$2" >"$work/cmp" 2>&1 || fail "$(cat "$work/cmp")"
}

has() { grep -q "\"event_type\":\"$1\"" "$lines"; }

# With all that can come in between: losses, figures, a new configuration, another file.
test_a_replay_without_privilege_gives_the_live_lines_byte_for_byte() {
	wire_up --drop-every 20
	echo '{ "rtt-interval": 0 }' >"$work/conf"
	recorded -c "$work/conf" --ring-size=16384 --stats-interval=0.1
	traffic_both --bytes 1000000 --messages 20
	echo '{ "rtt-interval": 1 }' >"$work/conf"
	kill -HUP "$netlog_pid"
	wait_for 10 has reload || fail "no reload line"
	traffic --messages 100
	netlog_stop
	check_books
	for type in start stats lost reload stop retransmit rtt latency; do
		has $type || fail "no $type line: no test"
	done
	grep -q '"cgroup":"/' "$lines" || fail "no name of a cgroup: no test"
	$unprivileged "$netlog" -r - <"$work/r" >"$work/replayed" || fail "status $?"
	same "$work/replayed" "$lines"
	# several outputs at once, one of them from a file that is named
	"$netlog" -r "$work/r" -o "file:$work/one" -o stdout >"$work/two" 2>/dev/null || fail "status $?"
	same "$work/one" "$lines"
	same "$work/two" "$lines"
}

test_a_recording_alone_leaves_stdout_empty_and_has_all() {
	wire_up
	"$netlog" "${ours[@]}" -q -w "$work/r" >"$work/stdout" &
	pid=$!
	wait_for 30 test -s "$work/r" || fail "no recording"
	traffic --messages 200
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	[ ! -s "$work/stdout" ] || fail "lines on stdout: $(head -n 1 "$work/stdout")"
	lines=$work/lines
	"$netlog" -r "$work/r" >"$lines" || fail "status $?"
	check_books
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
	has latency || fail "no events: no test"
	grep -q '"cgroup":"/' "$lines" || fail "no names of cgroups"
}

# The cgroup and the namespace's name come and go while it runs; neither is there when it is replayed.
test_names_that_come_and_go_are_recorded_where_they_took_effect() {
	cgroups_mount
	run_mount
	cgroup=$work/cgroups/netlog-record-$$.service
	name=/run/netns/netlog-record-$$
	wire_up
	cgroups_are_ours "$cgroup"
	recorded
	traffic --messages 100
	mkdir "$cgroup" || fail "no cgroup"
	mkdir -p /run/netns && : >"$name" && mount --bind "$ns0" "$name" || fail "no name"
	named() {
		timeout 60 sh -c "echo \$\$ >'$cgroup/cgroup.procs' &&
			exec build/traffic --client '$ns0' --server '$ns1' --messages 50" >"$work/truth"
		grep -q "\"unit\":\"${cgroup##*/}\"" "$lines" && grep -q "\"netns_name\":\"${name##*/}\"" "$lines"
	}
	wait_for 3 named || fail "no line with the names"
	umount "$name" && rm "$name" && rmdir "$cgroup" || fail "they stay"
	unnamed() {
		traffic --messages 50
		tail -n 20 "$lines" | grep '"netns":' | grep -qv netns_name
	}
	wait_for 3 unnamed || fail "the name stays"
	netlog_stop
	check_books
	$unprivileged "$netlog" -r - <"$work/r" >"$work/replayed" || fail "status $?"
	same "$work/replayed" "$lines"
}

test_each_file_of_a_rotated_recording_can_be_replayed() {
	wire_up
	lines=$work/lines
	: >"$lines"
	"$netlog" "${ours[@]}" -q -o "file:$lines" -w "$work/r,max-size=65536,max-files=50" &
	netlog_pid=$!
	wait_for 30 started_or_ended
	third() {
		traffic --messages 200
		[ -e "$work/r.3" ]
	}
	wait_for 2 third || fail "not rotated"
	netlog_stop
	files=$(find "$work" -name 'r.*' | sort -t . -k 3 -n)
	for file in $files "$work/r"; do
		within "bytes of $file" "$(stat -c %s "$file")" 160 65536
		"$netlog" -r "$file" || fail "$file: status $?"
	done >"$work/replayed"
	same "$work/replayed" "$lines"
	# shellcheck disable=SC2086
	cat $files "$work/r" | "$netlog" -r - >"$work/replayed" || fail "status $?"
	same "$work/replayed" "$lines"
}

test_a_recording_that_is_renamed_goes_on_in_a_new_file() {
	wire_up
	chatter 1
	recorded
	for i in 1 2 3; do
		some() { [ "$(wc -l <"$lines")" -gt $((100 * i)) ]; }
		wait_for 10 some || fail "no lines"
		[ $i = 2 ] || mv "$work/r" "$work/r.$i" # the second time it stays, and is gone on with
		kill -HUP "$netlog_pid"
		wait_for 10 test -s "$work/r" || fail "not opened anew"
	done
	netlog_stop
	for file in "$work/r.1" "$work/r.3" "$work/r"; do
		"$netlog" -r "$file" || fail "$file: status $?"
	done >"$work/replayed"
	same "$work/replayed" "$lines"
}

# Both ends get Ctrl-C, as in a terminal: the stop line still comes through.
test_a_recording_through_a_pipe_is_replayed_as_it_comes() {
	wire_up
	mkfifo "$work/pipe"
	lines=$work/lines
	"$netlog" -q -r - <"$work/pipe" >"$work/replayed" &
	reader=$!
	"$netlog" "${ours[@]}" -q -w - -o "file:$lines" >"$work/pipe" &
	writer=$!
	wait_for 30 grep -qs '"event_type":"start"' "$work/replayed" || fail "no start line"
	traffic --messages 200
	wait_for 10 grep -q '"event_type":"latency"' "$work/replayed" || fail "no lines while it runs"
	kill -INT $reader $writer
	wait $writer
	equal "exit status of the writer" $? 0
	wait $reader
	equal "exit status of the reader" $? 0
	same "$work/replayed" "$lines"
}

ended() { ! kill -0 "$1" 2>/dev/null; }

test_a_pipe_without_a_writer_is_waited_for_until_a_signal() {
	mkfifo "$work/fifo"
	$netlog -r "$work/fifo" >"$work/lines" &
	pid=$!
	wait_for 20 grep -q wait_for_partner "/proc/$pid/wchan" || fail "$(cat "/proc/$pid/wchan")"
	kill -TERM $pid
	wait_for 20 ended $pid || { kill -KILL $pid; fail "it does not end"; }
	wait $pid
	equal "status" $? 143
}

test_events_and_count_choose_from_a_recording() {
	wire_up
	recorded
	traffic --messages 200
	netlog_stop
	"$netlog" -r "$work/r" -e rtt >"$work/replayed" || fail "status $?"
	grep -E '"event_type":"(start|stats|lost|rtt|stop)"' "$lines" >"$work/wanted"
	same "$work/replayed" "$work/wanted"
	"$netlog" -r "$work/r" -n 7 >"$work/replayed" || fail "status $?"
	equal "events" "$(grep -Ec '"event_type":"(retransmit|rtt|latency)"' "$work/replayed")" 7
	head -c "$(stat -c %s "$work/replayed")" "$lines" >"$work/wanted"
	same "$work/replayed" "$work/wanted"
	"$netlog" -r "$work/r" --min-rtt=1 2>"$work/message" >"$work/replayed" || fail "status $?"
	same "$work/replayed" "$lines"
	grep -q -e "--min-rtt does nothing with --read" "$work/message" ||
		fail "not said: $(cat "$work/message")"
}

# wanted JQ: the lines for which it is so, and all that are no event's
wanted() {
	jq -c --argjson events "$(events_but)" "select((.event_type | IN(\$events[]) | not) or ($1))" "$lines" >"$work/wanted"
}

# selected JQ FILE: those are in the file
selected() {
	wanted "$1"
	[ "$(grep -c '"latency"\|"rtt"' "$work/wanted")" -gt 5 ] || fail "hardly anything is so: $1"
	[ "$(wc -l <"$work/wanted")" -lt "$(wc -l <"$lines")" ] || fail "all is so: $1"
	same "$2" "$work/wanted"
}

# Ports, interface, owner and cgroup: by what the recording has of them
test_filters_choose_from_a_recording_for_all_and_for_each_output() {
	local port comm cgroup ifname
	wire_up
	recorded
	traffic --messages 200
	traffic --messages 100
	netlog_stop
	port=$(jq -r 'select(.event_type == "rtt") | .src_port' "$lines" | sort -n | tail -n 1)
	comm=$(jq -r '.comm // empty' "$lines" | head -n 1)
	cgroup=$(jq -r '.cgroup // empty' "$lines" | head -n 1)
	ifname=$(jq -r '.ifname // empty' "$lines" | head -n 1)
	"$netlog" -r "$work/r" --port="$port" >"$work/replayed" 2>"$work/message" || fail "status $?"
	[ ! -s "$work/message" ] || fail "said: $(cat "$work/message")"
	selected ".src_port == $port or .dest_port == $port" "$work/replayed"
	"$netlog" -r "$work/r" -o "file:$work/a,src-port=$port" -o "file:$work/b,not-comm=$comm,events=rtt,latency" \
		-o "file:$work/c,cgroup=$cgroup,ifname=$ifname" -o "file:$work/d" --proto=tcp \
		2>/dev/null || fail "status $?"
	# IPv6 has packets of its own, which are not TCP's
	selected ".proto == \"tcp\" and .src_port == $port" "$work/a"
	selected ".proto == \"tcp\" and .event_type != \"retransmit\" and .comm != \"$comm\" and .stage != \"transport\"" "$work/b"
	selected ".proto == \"tcp\" and .ifname == \"$ifname\" and ((.cgroup // \"\") | . == \"$cgroup\" or startswith(\"$cgroup/\"))" "$work/c"
	wanted '.proto == "tcp"'
	same "$work/d" "$work/wanted"
}

test_what_is_no_whole_recording_is_said_and_what_was_whole_is_written() {
	wire_up
	recorded
	traffic --messages 100
	netlog_stop
	size=$(stat -c %s "$work/r")

	head -c $((size / 2 | 1)) "$work/r" >"$work/cut" # never between two records
	status_of "$netlog" -r "$work/cut" >"$work/replayed"
	equal "exit status of a cut one" "$status" 65
	case $message in
	*"$work/cut: byte "*": the recording is cut: "*"what came before it has been written") ;;
	*) fail "$message" ;;
	esac
	within "lines of a cut one" "$(wc -l <"$work/replayed")" 10 "$(($(wc -l <"$lines") - 1))"
	head -n "$(wc -l <"$work/replayed")" "$lines" | cmp - "$work/replayed" || fail "other lines"

	cp "$work/r" "$work/damaged"
	printf '\125\252' | dd of="$work/damaged" bs=1 seek=$((size / 2)) conv=notrunc status=none
	status_of "$netlog" -r "$work/damaged" >"$work/replayed2"
	equal "exit status of a damaged one" "$status" 65
	case $message in
	*"$work/damaged: byte "*" damaged: the checksum does not agree"* | *"a record of "*" bytes"*) ;;
	*) fail "$message" ;;
	esac
	same "$work/replayed2" "$work/replayed" # it was cut within the same record

	refused 65 "byte 0: this is no recording of netlog" "$netlog" -r "$lines"
	refused 65 "stdin: byte 0: this is empty" "$netlog" -r - </dev/null
	refused 66 "cannot open the recording $work/none: No such file" "$netlog" -r "$work/none"
	refused 66 "cannot read $work: Is a directory" "$netlog" -r "$work"
	refused 73 "cannot open the output record:$lines: File exists; it is no recording" "$netlog" -d 0.1 -w "$lines"
}

test_a_recording_is_not_written_over_while_it_is_read() {
	wire_up
	recorded
	traffic --messages 100
	netlog_stop
	r=$work/r
	cp "$r" "$work/kept"
	ln "$r" "$work/linked"
	ln -s "$r" "$work/symlinked"
	cp "$r" "$work/s.1"
	words="would be written over by"
	refused 2 "netlog: $r $words record:$r while it is read" "$netlog" -r "$r" -w "$r"
	refused 2 "$r $words file:$work/linked" "$netlog" -r "$r" -o "file:$work/linked"
	refused 2 "$work/symlinked $words record:$r" "$netlog" -r "$work/symlinked" -w "$r,max-size=65536"
	refused 2 "stdin $words record:$r" "$netlog" -r - -w "$r" <"$r"
	refused 2 "$work/s.1 $words record:$work/s" "$netlog" -r "$work/s.1" \
		-w "$work/s,max-size=65536,max-files=1"
	for output in stdout record:-; do
		status_of "$netlog" -r "$r" -o "$output" >>"$r"
		equal "exit status" "$status" 2
		[[ $message == *"$r $words $output "* ]] || fail "$message"
	done
	same "$r" "$work/kept"
	same "$work/s.1" "$work/kept"
	"$netlog" -r "$r" -w "$work/other" || fail "status $?"
	same "$work/other" "$work/kept"
}

# Until all else has succeeded: the privileges, the kernel's consent, what is read, the other outputs.
test_a_start_or_a_reload_that_fails_leaves_an_older_recording_as_it_was() {
	r=$work/r
	$netlog -q -d 0.01 -w "$r" && cp "$r" "$work/older" || fail "status $?"
	chown 65534 "$r"
	as_before() { cmp "$r" "$work/older" || fail "$1 has changed it"; }
	# shellcheck disable=SC2086 # several words
	refused 77 "missing, which loading BPF programs needs" $unprivileged $netlog -w "$r"
	as_before "a start without privileges"
	refused 71 "no event can be served" env LD_PRELOAD="$sanitizer build/refuse.so" \
		NETLOG_REFUSE="$(event_types | sed 's/$/_/' | paste -sd ,)" $netlog -w "$r"
	as_before "a start that the kernel refuses"
	refused 65 "this is no recording" $netlog -r LICENSE -w "$r"
	as_before "a replay of something else"
	echo "{ \"output\": \"file:$work/lines\" }" >"$work/conf"
	$netlog -c "$work/conf" 2>"$work/message" &
	pid=$!
	wait_for 30 started "$work/lines" || fail "no start: $(cat "$work/message")"
	for wrong in "file:$work/missing/x: No such file" "file:$work/./lines: another output leads to the same file"; do
		echo "{ \"output\": [\"file:$work/lines\", \"record:$r\", \"${wrong%%: *}\"] }" >"$work/conf"
		kill -HUP "$pid"
		wait_for 10 grep -qF "$wrong" "$work/message" || fail "not said: $(cat "$work/message")"
	done
	kill "$pid"
	wait "$pid" || fail "status $?"
	as_before "a reload that failed"
	! grep -q '"reload"' "$work/lines" || fail "a reload took effect"
	$netlog -q -d 0.01 -w "$r" || fail "status $?"
	$netlog -q -r "$r" >"$work/replayed" && ! cmp -s "$r" "$work/older" || fail "not written over"
}

test_two_outputs_to_one_file_are_refused_by_whatever_names() {
	words="another output leads to the same file"
	: >"$work/x"
	ln -s x "$work/link"
	ln "$work/x" "$work/hard"
	for other in "file:$work/./x" "file:$work/link" "file:$work/hard" "file:/dev/stdout"; do
		refused 73 "$words" sh -c "exec $netlog -o file:$work/x -o $other >>$work/x"
		refused 73 "$words" sh -c "exec $netlog --check-config -o file:$work/x -o $other >>$work/x"
	done
	refused 73 "$words" sh -c "exec $netlog -o stdout -o file:$work/x >>$work/x"
	refused 73 "$words" bash -c "$netlog -o stdout -o file:/dev/stdout | cat; exit \${PIPESTATUS[0]}"
	refused 73 "$words" $netlog -o "file:$work/new" -w "$work/new"
	[ ! -s "$work/x" ] || fail "something was written: $(cat "$work/x")"
	$netlog -q -d 0.01 -o stdout -o file:/dev/null -w /dev/null >/dev/null || fail "no two outputs to /dev/null"
}

test_a_replay_waits_for_slow_readers_and_ends_when_they_go() {
	wire_up
	recorded
	traffic --messages 1000 --bytes 100 --reply 100
	netlog_stop
	[ "$(stat -c %s "$lines")" -gt 1000000 ] || fail "only $(stat -c %s "$lines") bytes: no test"
	"$netlog" -r "$work/r" -o stdout -o "file:$work/file" 2>"$work/message" |
		while dd bs=65536 count=1 iflag=fullblock status=none >"$work/part" && [ -s "$work/part" ]; do
			cat "$work/part"
			sleep 0.05 # far slower than the patience with one slow output among several
		done >"$work/replayed"
	equal "exit status" "${PIPESTATUS[0]}" 0
	same "$work/replayed" "$lines"
	same "$work/file" "$lines"
	"$netlog" -r "$work/r" | head -n 1 >"$work/head"
	equal "exit status without a reader" "${PIPESTATUS[0]}" 0
	refused 74 "cannot write to file:/dev/full: No space left" "$netlog" -r "$work/r" -o file:/dev/full
}

# A full disk: lost items are counted, told in the recording when there is room again, and none is cut.
test_a_full_disk_costs_records_that_are_counted_and_told() {
	needs_mounts
	wire_up
	mkdir "$work/disk"
	mount -t tmpfs -o size=1M none "$work/disk" || fail "no tmpfs"
	head -c 768K /dev/zero >"$work/disk/filler"
	recording=$work/disk/r
	"$netlog" "${ours[@]}" -w "$recording" 2>"$work/message" &
	pid=$!
	wait_for 30 test -s "$recording" || fail "no start"
	for _ in 1 2 3; do
		traffic --messages 1500 --bytes 100 --reply 100
	done
	wait_for 10 grep -q "cannot write to record:$recording: No space left" "$work/message" ||
		fail "nothing said: $(cat "$work/message")"
	"$netlog" -q -r "$recording" >"$work/part" || fail "a record is cut: status $?"
	rm "$work/disk/filler"
	mount -o remount,size=64M "$work/disk" || fail "no more room"
	wait_for 10 grep -q "works again" "$work/message" || fail "it does not work again"
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	lines=$work/lines
	"$netlog" -r "$recording" >"$lines" || fail "status $?"
	umount "$work/disk"
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
	lost=$(jq 'select(.event_type == "lost" and (.where | startswith("record:"))) | .count' "$lines" | sum)
	[ "$lost" -gt 0 ] || fail "nothing told as lost: $(cat "$work/message")"
	equal "events in the recording and those told as lost there" "$(($(event_lines "$lines" | count) + lost))" \
		"$(tail -n 1 "$lines" | jq '.emitted | add')"
}

run_tests
