#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Outputs: files, pipes and journald, on good days and bad.
# alone: an output that makes others wait for more than 0.1 s loses lines, and these tests are about losing none
. "$(dirname "$0")/lib.sh"

# netlog_on NAME OPTIONS: netlog in the background as $pid, its messages in $work/message; when its
# start line is in the file $work/NAME, which must be one of its outputs, it returns
netlog_on() {
	lines=$work/$1
	shift
	"$@" 2>>"$work/message" & # appending: a test may empty it
	pid=$!
	wait_for 30 grep -qs '"event_type":"start"' "$lines" || fail "no start: $(cat "$work/message")"
}

# end STATUS: SIGTERM, and the exit status that must follow
end() {
	kill -TERM $pid
	wait $pid
	status=$?
	equal "exit status ($(cat "$work/message"))" $status "$1"
}

grown() { [ "$(wc -l <"$lines")" -gt "$1" ]; }

# As logrotate: the file is renamed and netlog gets SIGHUP, again and again, under traffic. All files together are
# the run, line by line.
test_files_are_opened_anew_on_sighup_and_no_line_is_lost_or_doubled() {
	wire_up
	chatter 1
	netlog_start
	for i in 1 2 3 4 5 6; do
		grown() { [ "$(wc -l <"$lines")" -gt 50 ]; }
		wait_for 10 grown || fail "no lines"
		mv "$lines" "$lines.$i"
		kill -HUP "$netlog_pid"
		wait_for 10 test -e "$lines" || fail "not opened anew"
	done
	netlog_stop
	cat "$lines".[1-6] "$lines" >"$work/whole"
	lines=$work/whole
	check_books # seq from 1 on without a gap or a double
}

test_where_a_file_cannot_be_opened_anew_the_old_one_goes_on() {
	mkdir "$work/away"
	lines=$work/away/lines
	$netlog -o "file:$lines" 2>"$work/message" &
	pid=$!
	wait_for 30 grep -qs start "$lines" || fail "no start"
	mv "$work/away" "$work/gone"
	kill -HUP $pid
	wait_for 10 grep -q "cannot open an output anew: No such file" "$work/message" || fail "nothing said: $(cat "$work/message"; wc -l "$lines")"
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	lines=$work/gone/lines
	check_books
}

# Two outputs, each with its own events.
test_each_output_has_its_own_events() {
	wire_up
	lines=$work/all
	$netlog "${ours[@]}" -q -o "file:$work/all" -o "file:$work/rtt,events=rtt" &
	pid=$!
	wait_for 30 grep -qs start "$work/rtt" || fail "no start"
	traffic --messages 100
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	check_books
	equal "types in the second file" "$(jq -r .event_type "$work/rtt" | sort -u | tr '\n' ' ')" \
		"rtt start stop "
	equal "rtt lines of both" "$(grep '"event_type":"rtt"' "$work/rtt" | sha1sum)" \
		"$(grep '"event_type":"rtt"' "$work/all" | sha1sum)"
}

test_an_event_that_no_output_takes_is_not_asked_of_the_kernel() {
	wire_up
	netlog_on lines $netlog -e rtt,retransmit -o "file:$work/lines,events=retransmit"
	traffic --messages 20
	end 0
	grep -q "no output takes rtt, which is not logged" "$work/message" || fail "$(cat "$work/message")"
	check_books
	equal "events" "$(head -n 1 "$lines" | jq -c .events)" '["retransmit"]'
	equal "events with a hook" "$(head -n 1 "$lines" | jq -r '.hooks[].event' | sort -u | grep -c rtt)" 0
	equal "events in the books" "$(tail -n 1 "$lines" | jq -c '.produced | keys')" '["retransmit"]'
	refused 2 "no output takes rtt: see events= of --output" \
		$netlog -d 0.1 -e rtt -o "file:$work/none,events=retransmit"
	[ ! -e "$work/none" ] || fail "an output was opened"
}

# Its hooks are there for the next configuration, which may have an output that takes it.
test_an_event_comes_and_goes_with_the_output_that_takes_it() {
	wire_up
	chatter 1
	echo "{\"output\": \"file:$work/lines,events=retransmit\"}" >"$work/conf"
	netlog_on lines $netlog -c "$work/conf"
	for i in 1 2 3; do
		[ $i = 2 ] && events=rtt || events=retransmit
		echo "{\"output\": \"file:$work/lines,events=$events\"}" >"$work/conf"
		kill -HUP $pid
		reloaded() { [ "$(grep -c '"event_type":"reload"' "$lines")" = $i ]; }
		wait_for 10 reloaded || fail "no reload line $i: $(cat "$work/message")"
		many() { [ "$(grep -c '"event_type":"rtt"' "$lines")" -gt 20 ]; }
		[ $i != 2 ] || wait_for 10 many || fail "no rtt lines"
	done
	# nor does the kernel side make it: only retransmits wake netlog, and each a few times at most; other
	# people's do, too
	woken() { awk '$1 == "voluntary_ctxt_switches:" { print $2 }' "/proc/$pid/status"; }
	before=$(woken) seen=$(wc -l <"$lines")
	traffic --messages 400 --gap-ms 5
	within "times that netlog woke" $(($(woken) - before)) 0 \
		$((50 + 4 * ($(wc -l <"$lines") - seen)))
	end 0
	check_books
	jq -es 'map(.event_type) | index("rtt") > (indices("reload")[1]) and
		rindex("rtt") < (indices("reload")[2])' "$lines" >/dev/null || fail "rtt without an output"
	equal "events" "$(jq -c 'select(.events) | .events' "$lines" | xargs)" \
		"[retransmit] [retransmit] [rtt] [retransmit]"
}

test_a_file_that_ends_within_a_line_is_not_made_worse() {
	printf '{"torn":' >"$work/lines"
	$netlog -q -d 0.2 -o "file:$work/lines"
	equal "the torn line" "$(head -n 1 "$work/lines")" '{"torn":'
	sed -i 1d "$work/lines"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "glued to the torn line"
}

# A full disk: the lines that do not fit are counted and told, none is ever cut in two, and when there
# is room again, it goes on.
test_a_full_disk_cuts_no_line_and_is_told_when_it_works_again() {
	needs_mounts
	wire_up
	mkdir "$work/disk"
	mount -t tmpfs -o size=1M none "$work/disk" || fail "no tmpfs"
	head -c 768K /dev/zero >"$work/disk/filler"
	lines=$work/disk/lines
	$netlog "${ours[@]}" -o "file:$lines" 2>"$work/message" &
	pid=$!
	wait_for 30 grep -qs start "$lines" || fail "no start"
	for _ in 1 2 3; do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	wait_for 10 grep -q "cannot write to file:$lines: No space left" "$work/message" || fail "nothing said: $(cat "$work/message"; wc -l "$lines")"
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is torn"
	rm "$work/disk/filler"
	mount -o remount,size=64M "$work/disk" || fail "no more room"
	wait_for 10 grep -q "works again" "$work/message" || fail "it does not work again"
	wait_for 10 grep -q '"event_type":"lost"' "$lines" || fail "no lost line: $(cat "$work/message")"
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	cp "$lines" "$work/lines"
	umount "$work/disk"
	lines=$work/lines
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
	# the lines that the file lacks are as many as its lost lines tell
	lost=$(jq 'select(.event_type == "lost" and (.where | startswith("file:"))) | .count' "$lines" | sum)
	[ "$lost" -gt 0 ] || fail "nothing told as lost: $(cat "$work/message")"
	equal "events in the file and those told as lost there" "$(($(event_lines "$lines" | count) + lost))" \
		"$(tail -n 1 "$lines" | jq '.emitted | add')"
}

test_an_output_that_cannot_be_opened_is_said() {
	refused 73 "cannot open the output file:/nonexistent/x: No such file" \
		$netlog -d 0.1 -o file:/nonexistent/x
	refused 73 "cannot open the output file:/: Is a directory" $netlog -d 0.1 -o file:/
	mkfifo "$work/fifo"
	refused 73 "No such device or address" $netlog -d 0.1 -o "file:$work/fifo" # nobody reads it
	refused 73 "cannot open the output stdout: Bad file descriptor" \
		bash -c "exec $netlog -d 0.1 >&-"
	# nor must a file take its place
	refused 73 "cannot open the output stdout: Bad file descriptor" \
		bash -c "exec $netlog -d 0.1 -o file:$work/lines -o stdout >&-"
}

test_an_output_that_fails_to_the_end_is_said() {
	refused 74 "cannot write to file:/dev/full: No space left" $netlog -d 0.3 -o file:/dev/full
	case $message in
	*"file:/dev/full: "*" lines were left unwritten"*) ;;
	*) fail "$message" ;;
	esac
	refused 74 "cannot write to stdout: No space left" bash -c "$netlog --schema >/dev/full"
}

# A reader that is slow still gets every line, whole, up to the stop line.
test_a_slow_reader_gets_all_to_the_end() {
	wire_up
	lines=$work/lines
	mkfifo "$work/pipe"
	{
		while dd bs=65536 count=1 iflag=fullblock status=none >"$work/part" && [ -s "$work/part" ]; do
			cat "$work/part" >>"$lines"
			sleep 0.3 # 200 kB a second
		done
	} <"$work/pipe" &
	reader=$!
	$netlog "${ours[@]}" -q >"$work/pipe" &
	pid=$!
	wait_for 30 grep -q 'wchar: [1-9]' "/proc/$pid/io" || fail "no start"
	traffic --messages 300 --bytes 100 --reply 100
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	wait $reader
	[ "$(wc -l <"$lines")" -gt 1000 ] || fail "only $(wc -l <"$lines") lines: no test"
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
	check_books
}

# A reader that does not read at all: after a while netlog ends nevertheless, and cuts no line.
test_a_reader_that_never_reads_is_not_waited_for_for_ever() {
	wire_up
	mkfifo "$work/pipe"
	exec {reader}<>"$work/pipe"
	$netlog "${ours[@]}" -q >"$work/pipe" 2>"$work/message" &
	pid=$!
	wait_for 30 grep -q 'wchar: [1-9]' "/proc/$pid/io" || fail "no start"
	for _ in 1 2; do
		traffic --messages 500 --bytes 100 --reply 100
	done
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 74
	grep -q "stdout: [0-9]* lines were left unwritten" "$work/message" || fail "$(cat "$work/message")"
	timeout 5 dd bs=65536 iflag=nonblock status=none <&$reader >"$work/lines" 2>/dev/null
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "a line is cut"
	exec {reader}>&-
}

# Nobody reads: the pipe fills, then the ring, then events are lost, and counted. Then the reader
# reads on, and every line is whole, the losses are told, and the books balance.
test_a_stalled_reader_costs_counted_events_and_no_torn_line() {
	wire_up
	mkfifo "$work/pipe"
	exec {reader}<>"$work/pipe"
	$netlog "${ours[@]}" -q --ring-size=65536 --stats-interval=0.2 >"$work/pipe" &
	pid=$!
	wait_for 30 grep -q 'wchar: [1-9]' "/proc/$pid/io" || fail "no start"
	for _ in 1 2 3; do
		traffic --messages 1500 --bytes 100 --reply 100
	done
	lines=$work/lines
	cat <&$reader >"$lines" &
	cat_pid=$!
	wait_for 10 grep -q '"event_type":"lost"' "$lines" || fail "no lost line: $(tail -n 1 "$lines")"
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
	wait_for 10 grep -q '"event_type":"stop"' "$lines" || fail "no stop line"
	kill $cat_pid
	/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "a line is not valid"
	check_books
	[ "$(tail -n 1 "$lines" | jq '.lost | add')" -gt 0 ] || fail "nothing was lost"
	equal "the lost lines' sum" "$(jq 'select(.event_type == "lost") | .count' "$lines" | sum)" \
		"$(tail -n 1 "$lines" | jq '.lost | add')"
	exec {reader}>&-
}

test_a_gone_reader_ends_it_with_0_even_without_events() {
	# nobody's retransmits are of port 1
	timeout 30 bash -c "set -o pipefail; $netlog -q -e retransmit --port=1 | head -n 1" >"$work/lines"
	equal "exit status" $? 0
	equal "lines" "$(count <"$work/lines")" 1
}

# A reader that takes a little now and then is no reason to hold up the others, nor to end late.
test_a_trickling_reader_costs_the_other_output_nothing() {
	wire_up
	mkfifo "$work/pipe"
	# 64 KiB in all, however quick this machine is; then it reads no more, and stays
	{
		for _ in $(seq 64); do
			dd bs=1024 count=1 status=none
			sleep 0.02
		done
		exec sleep infinity
	} <"$work/pipe" >"$work/trickle" &
	exec {writer}>"$work/pipe"
	netlog_on lines $netlog "${ours[@]}" -o stdout -o "file:$work/lines" >&$writer
	exec {writer}>&-
	# beside that, 64 KiB are in the pipe and 256 KiB wait for it: there is no way for a megabyte
	for _ in $(seq 100); do
		[ "$(stat -c %s "$lines")" -lt 1048576 ] || break
		traffic --messages 1000 --bytes 100 --reply 100
	done
	[ "$(stat -c %s "$lines")" -ge 1048576 ] || fail "no megabyte of lines in a hundred rounds"
	kill -TERM $pid
	wait_for 15 grep -q '"event_type":"stop"' "$lines" || fail "no stop line"
	wait $pid
	equal "exit status" $? 74
	check_books
	equal "lost in the file" "$(tail -n 1 "$lines" | jq '.outputs[1].lost | add')" 0
	equal "lost in the ring" "$(jq 'select(.event_type == "lost" and .where == "ring") | .count' \
		"$lines" | sum)" 0
	[ "$(tail -n 1 "$lines" | jq '.outputs[0].lost | add')" -gt 0 ] || fail "stdout lost nothing: no test"
}

# The other output waits for a tenth of a second; until the ring is full it would be many.
test_a_stalled_reader_holds_up_the_other_output_for_a_moment_only() {
	wire_up
	mkfifo "$work/pipe"
	exec {reader}<>"$work/pipe"
	# of rtt nothing is missed in the kernel: only the trouble itself wakes netlog
	netlog_on lines $netlog -e rtt -o stdout -o "file:$work/lines" >"$work/pipe"
	for _ in $(seq 3); do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	wait_for 5 grep -q "cannot write to stdout: it takes no more" "$work/message" ||
		fail "it is waited for: $(cat "$work/message"; wc -l "$lines")"
	end 74
	exec {reader}>&-
	check_books
	equal "lost in the file" "$(tail -n 1 "$lines" | jq '.outputs[1].lost | add')" 0
}

# It is tried again each second.
test_an_output_that_goes_on_failing_is_told_once_and_not_at_each_try() {
	$netlog -d 4 -o "file:$work/lines" -o file:/dev/full 2>"$work/message"
	equal "exit status" $? 74
	equal "times it was told ($(cat "$work/message"))" "$(grep -c "cannot write to" "$work/message")" 1
}

test_a_gone_reader_ends_the_other_outputs_in_order() {
	wire_up
	chatter 1
	lines=$work/lines
	$netlog "${ours[@]}" -q -o stdout -o "file:$lines" | head -n 200 >"$work/head"
	equal "exit status" "${PIPESTATUS[0]}" 0
	equal "reason" "$(tail -n 1 "$lines" | jq -r .reason)" "reader gone"
	check_books
}

# The lines that a removed output has not got are told in the outputs that stay.
test_a_removed_output_leaves_its_loss_to_the_others() {
	wire_up
	echo "{\"output\": [\"file:$work/lines\", \"file:/dev/full\"]}" >"$work/conf"
	netlog_on lines $netlog -c "$work/conf"
	for _ in 1 2; do
		traffic --messages 500 --bytes 100 --reply 100
	done
	grep -q "cannot write to file:/dev/full" "$work/message" || fail "nothing said"
	echo "{\"output\": [\"file:$work/lines\"]}" >"$work/conf"
	kill -HUP $pid
	wait_for 10 grep -q '"event_type":"reload"' "$lines" || fail "no reload"
	end 74
	check_books
	equal "lines told as lost, and lines before the reload" \
		"$(jq 'select(.event_type == "lost" and .where == "file:/dev/full") | .count' "$lines" | sum)" \
		"$(jq -s '.[:(map(.event_type) | index("reload"))] | map(select(.where != "file:/dev/full")) |
			length' "$lines")"
}

# /proc/self/mem is a regular file of which no process has the first page: EIO.
test_an_io_error_is_counted_and_told_and_the_other_output_goes_on() {
	wire_up
	netlog_on lines $netlog "${ours[@]}" -o "file:$work/lines" -o file:/proc/self/mem
	for _ in 1 2 3; do
		traffic --messages 500 --bytes 100 --reply 100
	done
	wait_for 10 grep -q "cannot write to file:/proc/self/mem: Input/output error; [0-9]* lines lost" \
		"$work/message" || fail "nothing said: $(cat "$work/message")"
	end 74
	equal "times it was told" "$(grep -c "cannot write" "$work/message")" 1
	grep -q "file:/proc/self/mem: [0-9]* lines were left unwritten" "$work/message" ||
		fail "$(cat "$work/message")"
	check_books
	[ "$(tail -n 1 "$lines" | jq '.outputs[1].lost | add')" -gt 0 ] || fail "nothing counted there"
}

test_a_vanished_directory_is_told_and_when_it_is_back_the_loss_is() {
	wire_up
	mkdir "$work/there"
	ports 4
	netlog_on lines $netlog "${ours[@]}" -e rtt --port=7000-7009 -o "file:$work/lines" -o "file:$work/there/lines"
	traffic --messages 10
	wait_for 10 grep -qs '"event_type":"rtt"' "$work/there/lines" || fail "no lines there"
	rm -r "$work/there"
	for _ in 1 2 3; do
		traffic --messages 500 --bytes 100 --reply 100
	done
	grep -q "cannot write to file:$work/there/lines: No such file or directory" "$work/message" ||
		fail "nothing said: $(cat "$work/message")"
	# no event wakes netlog now, nor any of others: it has to try by itself
	quiet() {
		seen=$(wc -l <"$lines")
		sleep 0.5
		[ "$(wc -l <"$lines")" = "$seen" ]
	}
	wait_for 10 quiet || fail "the traffic does not end"
	mkdir "$work/there"
	wait_for 10 grep -qs '"event_type":"lost"' "$work/there/lines" || fail "no lost line"
	end 0
	check_books
	# the events written since then and those told as lost are all there were since then
	cp "$work/there/lines" "$work/since"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/since" || fail "a line is not valid"
	first=$(head -n 1 "$work/since" | jq .seq)
	equal "events in it and told as lost in it" \
		"$(($(jq "select(.event_type == \"lost\" and .where == \"file:$work/there/lines\") | .count" \
			"$work/since" | sum) + $(grep -Ecv '"event_type":"(start|lost|stop)"' "$work/since")))" \
		"$(jq -c "select(.seq >= $first and (.event_type | IN(\"retransmit\", \"rtt\", \"latency\")))" \
			"$lines" | count)"
}

test_a_storm_of_sighup_costs_no_line() {
	wire_up
	chatter 1
	echo "{\"output\": \"file:$work/lines\"}" >"$work/conf"
	netlog_on lines $netlog -q -c "$work/conf"
	for _ in $(seq 500); do
		kill -HUP $pid
	done
	wait_for 10 grep -q '"event_type":"reload"' "$lines" || fail "no reload line"
	wait_for 10 grown 500 || fail "no lines"
	end 0
	check_books
}

# The two files hold the run together, however events, thresholds and outputs change in between.
test_sighup_reads_the_configuration_anew_and_no_line_is_lost() {
	wire_up
	chatter 1
	echo "{\"output\": \"file:$work/a\"}" >"$work/conf"
	netlog_on a $netlog --include-ssh -c "$work/conf"
	wait_for 10 grep -q '"event_type":"latency"' "$work/a" || fail "no latency line"
	cat >"$work/conf" <<-END
		{ /* no latency, rtt to both */ "events": ["rtt", "retransmit"],
		  "output": ["file:$work/a,events=rtt", "file:$work/b"] }
	END
	kill -HUP $pid
	lines=$work/b
	wait_for 10 grep -qs '"event_type":"reload"' "$lines" || fail "no reload line: $(cat "$work/message")"
	equal "events from now on" "$(jq -c 'select(.event_type == "reload") | .events' "$lines")" \
		'["retransmit","rtt"]'
	wait_for 10 grown 100 || fail "no lines"
	equal "latency among the last lines" "$(tail -n 20 "$lines" | grep -c '"event_type":"latency"')" 0
	echo "{\"output\": \"file:$work/a\", \"min-latency\": 1}" >"$work/conf"
	kill -HUP $pid
	lines=$work/a
	reloaded_twice() { [ "$(grep -c '"event_type":"reload"' "$lines")" = 2 ]; }
	wait_for 10 reloaded_twice || fail "no second reload line: $(cat "$work/message")"
	equal "filters from now on" "$(jq -c 'select(.event_type == "reload") | .filters' "$lines" |
		tail -n 1)" '{"min-latency":["1"]}'
	latency_again() { sed '1,/"event_type":"reload"/d' "$lines" | grep -q '"event_type":"latency"'; }
	wait_for 10 latency_again || fail "latency is not back"
	end 0
	cat "$work/a" "$work/b" | jq -cs 'unique_by(.seq) | .[]' >"$work/whole"
	equal "the last seq and the number of lines" "$(tail -n 1 "$work/whole" | jq .seq)" \
		"$(wc -l <"$work/whole")"
	for file in a b; do
		equal "lines of $file, each once" "$(jq .seq "$work/$file" | sort -nu | count)" \
			"$(wc -l <"$work/$file")"
	done
}

test_a_broken_configuration_is_refused_and_the_old_one_stays() {
	echo "{\"output\": \"file:$work/lines\"}" >"$work/conf"
	netlog_on lines $netlog -c "$work/conf"
	printf '{\n"output": "file:%s/other",\n"count": "many" }' "$work" >"$work/conf"
	kill -HUP $pid
	wait_for 10 grep -q "conf:3: \"count\": expected a number, found the string many; going on with the old" \
		"$work/message" || fail "nothing said: $(cat "$work/message")"
	printf '{"output": ["file:%s/other", "file:/nonexistent/x"], "quiet": true}' "$work" >"$work/conf"
	kill -HUP $pid
	wait_for 10 grep -q "cannot open the output file:/nonexistent/x: No such file.*going on with the old" \
		"$work/message" || fail "nothing said: $(cat "$work/message")"
	printf '{"output": ["file:%s/lines"], "ring-size": 4096}' "$work" >"$work/conf"
	kill -HUP $pid
	wait_for 10 grep -q "ring-size stays as it is until netlog is restarted" "$work/message" ||
		fail "nothing said: $(cat "$work/message")"
	wait_for 10 grep -q '"event_type":"reload"' "$lines" || fail "no reload line"
	: >"$work/message"
	printf '{"output": ["file:%s/lines"], "events": "rtt", "ring-size": 4096}' "$work" >"$work/conf"
	kill -HUP $pid
	wait_for 10 grep -q "ring-size" "$work/message" || fail "not said again: $(cat "$work/message")"
	wait_for 10 grep -q '"event_type":"reload"' "$lines" || fail "no reload line"
	end 0
	check_books
	equal "reloads" "$(grep -c '"event_type":"reload"' "$lines")" 2
	[ ! -s "$work/other" ] || fail "lines went to an output of a refused configuration"
}

test_configurations_are_checked_and_printed_without_privileges() {
	unprivileged="setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all"
	printf '{"min-latency": 1000,\n"events": ["rtt"], "output": "journald"}' >"$work/conf"
	chmod 644 "$work/conf"
	$unprivileged $netlog -c "$work/conf" --check-config || fail "a good one is refused"
	$unprivileged $netlog -c "$work/conf" --print-config >"$work/printed" || fail "not printed"
	equal "what is printed, read back and printed" "$($unprivileged $netlog -c "$work/printed" \
		--print-config)" "$(cat "$work/printed")"
	equal "its output" "$(jq -c .output "$work/printed")" '["journald"]'
	printf '{"min-latency": 1000,\n"event": ["rtt"]}' >"$work/conf"
	refused 78 "conf:2: \"event\": there is no such setting" $netlog -c "$work/conf" --check-config
	refused 78 "conf:2: \"event\": there is no such setting" $netlog -c "$work/conf" -d 0.1
	refused 78 "cannot read the configuration $work/none: No such file" $netlog -c "$work/none"
}

# ---- journald: one of our own, as $journald

journald_up() {
	needs_mounts
	[ -e /etc/systemd/journald.conf ] || fail "no /etc/systemd/journald.conf"
	unshare --mount --propagation private tests/live/journald.sh "$work" 2>"$work/journald.log" &
	journald=$!
	for socket in socket stdout; do
		wait_for 20 inside test -S /run/systemd/journal/$socket 2>/dev/null ||
			fail "no journald: $(cat "$work/journald.log")"
	done
}

# COMMAND...: where journald's /run is. With `exec` in the background, so that $! is the command.
inside() {
	nsenter --mount --target "$journald" --wd="$PWD" -- "$@"
}
inside_exec() {
	exec nsenter --mount --target "$journald" --wd="$PWD" -- "$@"
}

journal() {
	inside journalctl -q -D /run/log/journal --no-pager "$@"
}

in_journal() { # FIELD=VALUE...
	[ -n "$(journal -n 1 -o cat "$@" 2>/dev/null)" ]
}

test_journald_gets_every_line_with_its_fields() {
	wire_up --drop-every 20
	journald_up
	netlog_on lines inside_exec $netlog "${ours[@]}" -q -e retransmit,rtt -o "file:$work/lines" -o journald
	traffic --messages 200 --bytes 3000 --reply 100
	end 0
	check_books
	wait_for 20 in_journal NETLOG_EVENT=stop || fail "no stop entry"
	journal -o cat SYSLOG_IDENTIFIER=netlog >"$work/messages"
	cmp "$work/messages" "$lines" || fail "the messages are not the lines"
	journal -o json SYSLOG_IDENTIFIER=netlog >"$work/entries"
	jq -es 'all(.[]; . as $entry | .MESSAGE | fromjson | to_entries | map(select(.key != "hostname" and
		(.value | type | IN("object", "array") | not))) | all(.[]; $entry[if .key == "event_type"
		then "NETLOG_EVENT" else "NETLOG_" + (.key | ascii_upcase) end] == (.value | tostring)))' \
		"$work/entries" >/dev/null || fail "a key is no field"
	# the kernel may miss a call, and then there is a lost line: see README
	equal "priorities" "$(jq -r '.NETLOG_EVENT + .PRIORITY' "$work/entries" | grep -v lost4 | sort -u |
		tr '\n' ' ')" "retransmit6 rtt6 start6 stop6 "
	port=$(jq -r 'select(.event_type == "retransmit") | .dest_port' "$lines" | head -n 1)
	[ -n "$port" ] || fail "nothing was sent again"
	equal "retransmits to port $port" \
		"$(journal -o cat NETLOG_EVENT=retransmit NETLOG_DEST_PORT="$port" | jq -c .seq)" \
		"$(jq -c "select(.event_type == \"retransmit\" and .dest_port == $port) | .seq" "$lines")"
	equal "a message id for each type" "$(jq -r .MESSAGE_ID "$work/entries" | sort -u | count)" \
		"$(jq -r .NETLOG_EVENT "$work/entries" | sort -u | count)"
}

# Another format is another MESSAGE; what one searches by stays.
test_journald_has_messages_in_another_format_beside_the_same_fields() {
	wire_up
	journald_up
	netlog_on lines inside_exec $netlog "${ours[@]}" -q -e rtt -o "file:$work/lines" \
		-o "file:$work/ecs,format=ecs" -o journald,format=ecs
	traffic --messages 20
	end 0
	wait_for 20 in_journal NETLOG_EVENT=stop || fail "no stop entry"
	journal -o cat SYSLOG_IDENTIFIER=netlog | cmp - "$work/ecs" || fail "the messages are not the lines"
	equal "fields" "$(journal -o json NETLOG_EVENT=rtt | jq -c '[.NETLOG_SEQ, .NETLOG_SRC_PORT]')" \
		"$(jq -c 'select(.event_type == "rtt") | [.seq, .src_port] | map(tostring)' "$lines")"
}

# It is not waited for: the file beside has all, and at the end the two books agree.
test_a_stopped_journald_costs_counted_lines_and_nobody_waits() {
	wire_up
	journald_up
	netlog_on lines inside_exec $netlog "${ours[@]}" -o "file:$work/lines" -o journald
	kill -STOP "$journald"
	for _ in $(seq 4); do
		traffic --messages 500 --bytes 100 --reply 100
	done
	wait_for 20 grep -q "cannot write to journald: " "$work/message" || fail "nothing said: $(cat "$work/message"; wc -l "$lines")"
	kill -CONT "$journald"
	wait_for 20 grep -q "journald works again" "$work/message" || fail "it does not work again"
	wait_for 20 in_journal NETLOG_EVENT=lost NETLOG_WHERE=journald || fail "no lost entry: $(cat "$work/message")"
	end 0
	check_books
	wait_for 20 in_journal NETLOG_EVENT=stop || fail "no stop entry"
	journal -o cat SYSLOG_IDENTIFIER=netlog >"$work/messages"
	lost=$(jq 'select(.event_type == "lost" and .where == "journald") | .count' "$work/messages" | sum)
	[ "$lost" -gt 0 ] || fail "nothing was lost: no test"
	equal "entries, and lines told as lost" "$(($(wc -l <"$work/messages") + lost))" \
		"$(wc -l <"$lines")"
	equal "priority of lost" "$(journal -o json NETLOG_EVENT=lost | jq -r .PRIORITY | sort -u)" 4
}

test_a_stopped_journald_does_not_keep_it_from_ending() {
	wire_up
	journald_up
	inside_exec $netlog "${ours[@]}" -o journald 2>"$work/message" &
	pid=$!
	wait_for 30 in_journal NETLOG_EVENT=start || fail "no start: $(cat "$work/message")"
	kill -STOP "$journald"
	for _ in 1 2; do
		traffic --messages 500 --bytes 100 --reply 100
	done
	wait_for 20 grep -q "cannot write to journald: Connection timed out" "$work/message" ||
		fail "nothing said: $(cat "$work/message")"
	end 74
	grep -q "journald: [0-9]* lines were left unwritten" "$work/message" || fail "$(cat "$work/message")"
	kill -CONT "$journald"
}

# Once its socket is left behind, and once it is removed, which libsystemd does not report. Only lines of
# connections that were made while journald was away are compared: those that it had in its socket when it ended
# are gone, and nobody can tell (under systemd the socket outlives it).
test_an_ended_journald_is_told_and_gets_what_was_kept() {
	wire_up
	journald_up
	netlog_on lines inside_exec $netlog "${ours[@]}" -e rtt -o "file:$work/lines" -o journald
	for socket in left removed; do
		: >"$work/message"
		kill -TERM "$journald"
		wait "$journald"
		journald=$pid # it is in that namespace, too
		[ $socket = left ] || inside rm /run/systemd/journal/socket
		traffic --messages 10
		cp "$truth" "$work/truth.$socket"
		wait_for 20 grep -q "cannot write to journald: " "$work/message" ||
			fail "socket $socket: nothing said"
		inside_exec /lib/systemd/systemd-journald 2>"$work/journald.log" &
		journald=$!
		wait_for 20 grep -q "journald works again" "$work/message" ||
			fail "socket $socket: $(cat "$work/message")"
	done
	end 0
	check_books
	wait_for 20 in_journal NETLOG_EVENT=stop || fail "no stop entry"
	journal -o cat SYSLOG_IDENTIFIER=netlog >"$work/messages"
	for truth in "$work"/truth.left "$work"/truth.removed; do
		[ "$(events rtt client | count)" -gt 0 ] || fail "no lines: no test"
		equal "messages, socket ${truth##*.}" "$(lines=$work/messages events rtt client .seq | sort -u)" \
			"$(events rtt client .seq | sort -u)"
	done
}

test_without_a_journald_it_is_said() {
	needs_mounts
	# shellcheck disable=SC2016 # for the inner shell
	refused 73 "cannot open the output journald: No such file or directory; journald does not run" \
		unshare --mount --propagation private sh -c 'mount -t tmpfs none /run && exec "$@"' sh \
		$netlog -d 0.1 -o journald
}

# As a unit's standard output is: a stream socket to journald.
test_stdout_to_the_journal_batches_many_lines_in_one_write() {
	wire_up
	journald_up
	# no leaks are looked for under strace: that needs ptrace(2) itself
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
		inside_exec systemd-cat --identifier=stream strace -qq -o "$work/trace" -e trace=sendto \
		$netlog "${ours[@]}" -q -e latency,rtt 2>"$work/message" &
	wait_for 30 in_journal SYSLOG_IDENTIFIER=stream || fail "no start: $(cat "$work/message")"
	pid=$(xargs <"/proc/$!/task/$!/children") # strace's child
	for _ in 1 2; do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	kill -TERM "$pid"
	wait $!
	stopped() { journal -o cat SYSLOG_IDENTIFIER=stream | grep -q '"event_type":"stop"'; }
	wait_for 20 stopped || fail "no stop line"
	lines=$work/lines
	journal -o cat SYSLOG_IDENTIFIER=stream >"$lines"
	check_books
	writes=$(grep -c '^sendto(1, ' "$work/trace")
	echo "# $(wc -l <"$lines") lines in $writes writes"
	[ "$writes" -gt 0 ] && [ "$(wc -l <"$lines")" -ge $((4 * writes)) ] || fail "no batches"
}

# Every buffer full: a stalled pipe, a full disk, a stopped journald.
test_memory_is_bounded_when_nothing_can_be_written() {
	wire_up
	journald_up
	mkfifo "$work/pipe"
	exec {reader}<>"$work/pipe"
	inside_exec $netlog "${ours[@]}" -q -o stdout -o file:/dev/full -o journald -o "file:$work/lines" \
		>"$work/pipe" 2>"$work/message" &
	pid=$!
	lines=$work/lines
	wait_for 30 grep -qs '"event_type":"start"' "$lines" || fail "no start: $(cat "$work/message")"
	kill -STOP "$journald"
	for _ in $(seq 4); do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	for output in stdout file:/dev/full journald; do
		wait_for 20 grep -q "cannot write to $output: " "$work/message" || fail "$output takes all"
	done
	ring=$((2 * 8192)) # KiB: it is mapped twice, one after the other
	peak=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$pid/status")
	kill -CONT "$journald"
	end 74
	exec {reader}>&-
	check_books
	echo "# peak RSS: $peak KiB, of which at most $ring are the ring"
	# a sanitizer keeps freed memory, and has some of its own
	[ "${SANITIZE:-}" = 1 ] || [ "$peak" -lt $((32768 + ring)) ] || fail "peak RSS: $peak KiB"
	for output in stdout file:/dev/full journald; do
		[ "$(tail -n 1 "$lines" | jq ".outputs[] | select(.output == \"$output\") | .lost | add")" -gt 0 ] ||
			fail "$output lost nothing: no test: $(tail -n 1 "$lines"; cat "$work/message")"
	done
}

test_no_capability_is_kept_that_is_not_needed() {
	capabilities() { awk '$1 == "CapPrm:" || $1 == "CapEff:" { print $2 }' "/proc/$pid/status" | sort -u; }
	$netlog -q >"$work/lines" &
	pid=$!
	wait_for 30 grep -q '"event_type":"start"' "$work/lines" || fail "no start"
	equal "capabilities with stdout" "$(capabilities)" 0000000000000000
	kill -TERM $pid
	wait $pid
	netlog_on file $netlog -q -o "file:$work/file"
	# CAP_DAC_OVERRIDE: the file may have to be opened anew
	equal "capabilities with a file" "$(capabilities)" 0000000000000002
	kill -TERM $pid
	wait $pid
	chmod 777 "$work"
	netlog_on other setpriv --reuid 65534 --clear-groups --inh-caps=-all,+bpf,+perfmon \
		--ambient-caps=-all,+bpf,+perfmon $netlog -q -o "file:$work/other"
	equal "capabilities of another user" "$(capabilities)" 0000000000000000
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 0
}

run_tests
