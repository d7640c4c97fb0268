#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A run from its start to its end: limits, signals, losses, refusals.
. "$(dirname "$0")/lib.sh"

test_count_ends_after_so_many_event_lines() {
	wire_up
	chatter 1
	status_of timeout 60 $netlog -n 25 >"$work/lines"
	equal "exit status" "$status" 0
	lines=$work/lines
	check_books
	equal "event lines" "$(jq -c --argjson events "$(events_but)" 'select(.seq and (.event_type | IN($events[])))' \
		"$lines" | count)" 25
	equal "reason" "$(tail -n 1 "$lines" | jq -r .reason)" count
}

test_duration_ends_the_run() {
	status_of timeout 60 $netlog -d 0.3 >"$work/lines"
	equal "exit status" "$status" 0
	lines=$work/lines
	check_books
	equal "reason" "$(tail -n 1 "$lines" | jq -r .reason)" duration
}

test_start_says_what_is_logged_and_how() {
	status_of $netlog --include-ssh -d 0.1 -e rtt,latency --latency-stage=tcp >"$work/lines"
	head -n 1 "$work/lines" | jq -e '.seq == 1 and .events == ["rtt", "latency"] and
		.kernel == $kernel and .boot_id == $boot and (.run_id | length) == 32 and
		.filters == {"latency-stage": ["tcp"]} and
		([.hooks[] | select(has("error") | not) | [.event, .part, .hook]] as $hooks |
			($hooks | map(select(.[0] == "latency" and (.[1] | startswith("transport") | not)))) == [["latency", "entry",
				"tp_btf/netif_receive_skb"], ["latency", "drop", "tp_btf/kfree_skb"],
				["latency", "tcp", "tp_btf/tcp_probe"], ["latency", "qdisc", "tp_btf/net_dev_queue"],
				["latency", "drop_queued", "tp_btf/kfree_skb"], ["latency", "qdisc",
				"tp_btf/net_dev_start_xmit"]] and
			($hooks | map(select(.[0] == "rtt")) | IN(
				[["rtt", "sample", "fexit/tcp_ack_update_rtt"]],
				[["rtt", "sample", "tp_btf/tcp_probe"]])) and
			any($hooks[]; . == ["all", "socket", "tp_btf/inet_sock_set_state"]))' \
		--arg kernel "$(uname -r)" --arg boot "$(tr -d - </proc/sys/kernel/random/boot_id)" \
		>/dev/null || fail "$(head -n 1 "$work/lines")"
}

test_messages_go_to_stderr_and_quiet_silences_them() {
	status_of $netlog -d 0.1 >"$work/lines"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "stdout is not only lines"
	case $message in
	*"logging $(event_types | paste -sd , | sed 's/,/, /g') to stdout"*) ;;
	*) fail "$message" ;;
	esac
	status_of $netlog -q -d 0.1 >/dev/null
	equal "messages of a quiet run" "$message" ""
}

test_sigint_and_sigterm_end_in_order() {
	for signal in INT TERM; do
		lines=$work/lines.$signal
		$netlog -q -o "file:$lines" &
		pid=$!
		wait_for 30 grep -qs start "$lines" || fail "no start"
		kill -$signal $pid
		wait $pid
		equal "exit status" $? 0
		check_books
		equal "reason" "$(tail -n 1 "$lines" | jq -r .reason)" SIG$signal
	done
}

test_the_end_of_the_terminal_ends_it_unless_nohup_says_otherwise() {
	lines=$work/lines
	for how in "" "trap '' HUP;"; do
		rm -f "$lines"
		bash -c "$how exec $netlog -q >$lines" &
		pid=$!
		wait_for 30 grep -qs start "$lines" || fail "no start"
		kill -HUP $pid
		if [ -n "$how" ]; then
			kill -TERM $pid # had SIGHUP been taken, it would have been first
		fi
		wait $pid
		equal "exit status" $? 0
		equal "reason" "$(tail -n 1 "$lines" | jq -r .reason)" "SIG$([ -n "$how" ] && echo TERM || echo HUP)"
	done
}

# Programs may be at work on the other CPU when they are detached: nothing is half counted.
test_the_books_balance_when_it_ends_in_the_middle_of_traffic() {
	wire_up
	build/traffic --client "$ns0" --server "$ns0" --bytes 100000000 --messages 1000 >/dev/null 2>&1 &
	for _ in $(seq 8); do
		netlog_start --ring-size=65536
		some() { [ "$(wc -l <"$lines")" -gt 500 ]; }
		wait_for 10 some || fail "no events"
		netlog_stop
		check_books
		! grep -q "please report" "$work/netlog.log" || fail "$(cat "$work/netlog.log")"
	done
}

# The median of the times between an event, by its own timestamp, and its line's being read
lag_of() { # lines behind the reader's EPOCHREALTIME
	jq -r 'select(.event_type == "latency") | .read_us - (
		(.timestamp | sub("\\.[0-9]+"; "") | fromdate) * 1000000 +
		(.timestamp | capture("\\.(?<f>[0-9]+)").f | tonumber))' "$1" | median
}

read_with_time() { # adds the time at which each line was read
	while IFS= read -r line; do
		line=${line%$'\r'}
		[ "${line:0:1}" = "{" ] && echo "{\"read_us\":${EPOCHREALTIME/./},${line#\{}"
	done
}

test_lines_appear_within_100_ms_on_a_pipe() {
	wire_up
	chatter 20
	timeout 60 $netlog "${ours[@]}" -q -n 100 -e latency | read_with_time >"$work/read"
	equal "events" "$(grep -c '"event_type":"latency"' "$work/read")" 100
	within "lag in µs" "$(lag_of "$work/read")" 0 100000
}

test_lines_appear_within_100_ms_on_a_terminal() {
	wire_up
	chatter 20
	timeout 60 script -qfec "$netlog ${ours[*]} -q -n 100 -e latency" /dev/null </dev/null |
		read_with_time >"$work/read"
	equal "events" "$(grep -c '"event_type":"latency"' "$work/read")" 100
	within "lag in µs" "$(lag_of "$work/read")" 0 100000
}

test_a_second_signal_ends_it_at_once() {
	wire_up
	mkfifo "$work/pipe"
	exec {reader}<>"$work/pipe"
	$netlog "${ours[@]}" -q >"$work/pipe" &
	pid=$!
	wait_for 30 grep -q 'wchar: [1-9]' "/proc/$pid/io" || fail "no start"
	for _ in 1 2 3; do
		traffic --messages 1000 --bytes 100 --reply 100
	done
	# the pipe is full: in order it would wait for the reader now
	kill -TERM $pid
	unblocked() { ! grep -q 'SigBlk:.*[4-7c-f]...$' "/proc/$pid/status"; } # bit 14: SIGTERM
	wait_for 10 unblocked || fail "the first signal was not taken"
	kill -TERM $pid
	wait $pid
	equal "exit status" $? 143
	exec {reader}>&-
}

# A ring for some twenty events, and thousands at once.
test_a_flood_through_a_small_ring_is_counted_and_told() {
	wire_up
	netlog_start --ring-size=4096
	traffic --bytes 3000000 --messages 3
	# within a second of the loss, not only at the end
	wait_for 2 grep -q '"event_type":"lost"' "$lines" || fail "no lost line"
	netlog_stop
	check_books
	equal "the lost lines' sum, per event" \
		"$(jq -cs 'map(select(.event_type == "lost")) | group_by(.lost_event) |
			map({(.[0].lost_event): (map(.count) | add)}) | add' "$lines")" \
		"$(tail -n 1 "$lines" | jq -cS '.lost | with_entries(select(.value > 0))')"
	# calls that the kernel skips are counted for the whole host, see README
	equal "where" "$(jq -r 'select(.event_type == "lost" and .where != "hook") | .where' "$lines" | sort -u)" ring
}

test_stats_lines_come_as_often_as_asked() {
	wire_up
	chatter 1
	netlog_start --stats-interval=0.1
	five() { [ "$(grep -c '"event_type":"stats"' "$lines")" -ge 5 ]; }
	wait_for 10 five || fail "no stats lines"
	netlog_stop
	jq -es 'map(select(.event_type == "stats")) | all(.[]; . as $s | all(.produced | keys[];
		$s.produced[.] == $s.emitted[.] + $s.lost[.]))' "$lines" >/dev/null || fail "books of stats"
	jq -es '[.[] | select(.event_type == "stats") | .emitted | add] | . == sort and .[-1] > .[0]' \
		"$lines" >/dev/null || fail "figures do not grow"
	netlog_start --stats-interval=0 --duration=1
	wait $netlog_pid
	equal "stats lines without an interval" "$(grep -c '"event_type":"stats"' "$lines")" 0
}

test_missing_capabilities_are_named() {
	refused 77 "CAP_BPF and CAP_PERFMON missing" setpriv --reuid 65534 --clear-groups \
		--bounding-set=-all --inh-caps=-all $netlog -d 0.1
	refused 77 "CAP_PERFMON missing" setpriv --reuid 65534 --clear-groups --inh-caps=-all,+bpf \
		--ambient-caps=-all,+bpf $netlog -d 0.1
	refused 77 "CAP_BPF missing" setpriv --reuid 65534 --clear-groups --inh-caps=-all,+perfmon \
		--ambient-caps=-all,+perfmon $netlog -d 0.1
	status_of setpriv --reuid 65534 --clear-groups --inh-caps=-all,+bpf,+perfmon \
		--ambient-caps=-all,+bpf,+perfmon $netlog -d 0.1 >"$work/lines"
	equal "exit status with the two ($message)" "$status" 0
	equal "control lines with the two" "$(jq -r .event_type "$work/lines" | grep -c "^st[ao]")" 2
}

test_no_btf_is_said() {
	needs_mounts
	refused 72 "no BTF" unshare -m sh -c \
		"mount -t tmpfs none /sys/kernel/btf && exec $netlog -d 0.1"
}

test_messages_never_get_into_the_lines_even_with_stderr_closed() {
	bash -c "exec $netlog -d 0.2 2>&-" | cat >"$work/lines"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "not only lines on a pipe"
	bash -c "exec $netlog -d 0.2 -o file:$work/file 2>&- <&-"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/file" || fail "not only lines in a file"
	needs_mounts
	# nor where there is nothing else to be opened in its place: of three files one would be stderr
	unshare -m bash -c "mount -t tmpfs none /dev &&
		exec $netlog -d 0.2 -o file:$work/a -o file:$work/b -o file:$work/c <&- >&- 2>&-"
	equal "exit status" $? 0
	for file in a b c; do
		/usr/bin/python3 tests/live/validate.py $netlog "$work/$file" || fail "not only lines in $file"
	done
}

test_a_signal_while_loading_ends_it_in_order_too() {
	for pause in 0 0.01 0.03 0.06 0.1; do
		rm -f "$work/lines"
		$netlog -q -o "file:$work/lines" &
		pid=$!
		sleep $pause # any moment is as good as another: whatever it is at, it must end in order
		kill -TERM $pid 2>/dev/null
		wait $pid
		status=$?
		# a signal that comes before netlog has blocked it ends it as any other process
		[ $status = 0 ] || { [ $status = 143 ] && [ ! -s "$work/lines" ]; } || fail "status $status"
	done
}

test_too_few_descriptors_are_not_called_a_missing_btf() {
	refused 71 "Too many open files" bash -c "ulimit -n 5; exec $netlog -d 0.1"
}

test_unknown_words_are_refused_with_a_hint() {
	refused 2 "known are: retransmit, rtt, latency" $netlog -e drops
	refused 2 "see netlog --help" $netlog --nonsense
	refused 2 "--events=rtt" $netlog rtt
}

test_a_refused_program_is_named_and_the_others_go_on() {
	export NETLOG_REFUSE=rtt__tcp_
	status_of env LD_PRELOAD=build/refuse.so $netlog -d 0.1 >"$work/lines"
	equal "exit status ($message)" "$status" 0
	case $message in
	*"refused tp_btf/tcp_probe: Operation not permitted"*"event rtt cannot be served"*) ;;
	*) fail "$message" ;;
	esac
	jq -es --argjson events "$(events_but rtt)" '.[0] | .events == $events and
		any(.hooks[]; .event == "rtt" and .part == "sample" and .error == "Operation not permitted")' \
		"$work/lines" >/dev/null || fail "$(head -n 1 "$work/lines")"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "a line is not valid"
}

test_libbpf_speaks_if_asked_and_only_then() {
	"$netlog" --doctor >"$work/doctor" 2>"$work/quiet"
	equal "libbpf's lines, unasked" "$(grep -c '^libbpf: ' "$work/quiet")" 0
	NETLOG_DEBUG=libbpf "$netlog" --doctor >"$work/doctor2" 2>"$work/aloud"
	grep -q "^libbpf: loading object 'netlog_bpf'" "$work/aloud" || fail "not a word: $(head -n 5 "$work/aloud")"
	cmp "$work/doctor" "$work/doctor2" || fail "the doctor says something else"
}

# Without the packets' entry there is no latency at all, and no stage's program is left behind.
test_a_refused_entry_takes_the_whole_event() {
	export NETLOG_REFUSE=latency__netif_
	status_of env LD_PRELOAD=build/refuse.so $netlog -d 0.1 >"$work/lines"
	equal "exit status ($message)" "$status" 0
	jq -es --argjson events "$(events_but latency)" '.[0] | .events == $events and
		all(.hooks[] | select(.event == "latency"); has("error"))' "$work/lines" >/dev/null ||
		fail "$(head -n 1 "$work/lines")"
}

# What goes out has come in at no entry: nothing is hooked there, and nothing is missed.
test_the_way_out_alone_needs_no_entry() {
	export NETLOG_REFUSE=latency__netif_
	status_of env LD_PRELOAD=build/refuse.so $netlog -d 0.1 -e latency --latency-stage=qdisc >"$work/lines"
	equal "exit status ($message)" "$status" 0
	equal "hooks" "$(jq -nc 'input | [.hooks[] | select(.event == "latency") | .hook, .error]' "$work/lines")" \
		'["tp_btf/net_dev_queue",null,"tp_btf/kfree_skb",null,"tp_btf/net_dev_start_xmit",null]'
}

test_what_is_asked_for_by_name_must_be_served() {
	export NETLOG_REFUSE=rtt__tcp_,latency__skb_co
	refused 69 "event rtt cannot be served" env LD_PRELOAD=build/refuse.so $netlog -d 0.1 -e rtt
	refused 69 "app_tcp of event latency is not served" env LD_PRELOAD=build/refuse.so $netlog -d 0.1 \
		--latency-stage=app,tcp
}

test_when_all_is_refused_nothing_runs() {
	NETLOG_REFUSE=$(event_types | sed 's/$/_/' | paste -sd ,)
	export NETLOG_REFUSE
	refused 71 "no event can be served" env LD_PRELOAD=build/refuse.so $netlog -d 0.1
}

# The best hook of a part is refused: the next one serves it, the start line has both, nobody is alarmed.
test_a_lower_rung_serves_where_the_higher_one_is_refused() {
	export NETLOG_REFUSE=rtt__tcp_ack_up
	status_of env LD_PRELOAD=build/refuse.so $netlog -q -d 0.1 -e rtt >"$work/lines"
	equal "exit status" "$status" 0
	equal "messages" "$message" ""
	jq -es '.[0].hooks | map(select(.part == "sample")) | .[0].hook == "fexit/tcp_ack_update_rtt" and
		(.[0].error | startswith("Operation not permitted")) and .[1].hook == "tp_btf/tcp_probe" and
		(.[1] | has("error") | not)' "$work/lines" >/dev/null || fail "$(head -n 1 "$work/lines")"
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "a line is not valid"
}

test_the_doctor_says_what_is_there_and_what_to_do() {
	status_of $netlog --doctor=json >"$work/findings"
	equal "exit status ($message)" "$status" 0
	jq -e --argjson events "$(doctors_events_but)" '.events == $events and
		all(.checks[]; .state == "ok") and
		([.checks[].check] == ["kernel", "btf", "faulting loads", "capabilities", "lockdown", "lsm", "cgroups",
			"ring buffer"]) and
		any(.hooks[]; .hook == "tp_btf/tcp_retransmit_skb" and .state == "ok")' \
		"$work/findings" >/dev/null || fail "$(cat "$work/findings")"
	equal "kernel" "$(jq -r '.checks[0].what' "$work/findings")" "$(uname -r)"
	status_of $netlog --doctor >"$work/columns"
	equal "exit status ($message)" "$status" 0
	equal "hooks that are ok, in both" "$(grep -c '^ok  *[a-z]* [a-z_]*: tp_btf/' "$work/columns")" \
		"$(jq '[.hooks[] | select(.state == "ok" and (.hook | startswith("tp_btf/")))] | length' \
			"$work/findings")"

	export NETLOG_REFUSE=rtt__tcp_
	status_of env LD_PRELOAD=build/refuse.so $netlog --doctor=json >"$work/findings"
	equal "exit status where an event is refused" "$status" 69
	jq -e --argjson events "$(doctors_events_but rtt)" '.events == $events and
		any(.hooks[]; .hook == "tp_btf/tcp_probe" and .event == "rtt" and .state == "refused" and
			.what == "Operation not permitted" and (.advice | length > 0))' \
		"$work/findings" >/dev/null || fail "$(cat "$work/findings")"
	status_of $netlog --doctor=xml
	equal "exit status of a wrong form" "$status" 2
}

test_the_doctor_names_missing_capabilities_and_btf() {
	status_of setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all \
		$netlog --doctor=json >"$work/findings"
	equal "exit status without capabilities" "$status" 69
	jq -e 'any(.checks[]; .check == "capabilities" and .state == "refused" and
		.what == "CAP_BPF and CAP_PERFMON" and (.advice | contains("sudo netlog")))' \
		"$work/findings" >/dev/null || fail "$(cat "$work/findings")"
	needs_mounts
	status_of unshare -m sh -c "mount -t tmpfs none /sys/kernel/btf && exec $netlog --doctor=json" \
		>"$work/findings"
	equal "exit status without BTF" "$status" 69
	jq -e 'any(.checks[]; .check == "btf" and .state == "absent" and
		(.advice | contains("CONFIG_DEBUG_INFO_BTF")))' "$work/findings" >/dev/null ||
		fail "$(cat "$work/findings")"
}

test_an_output_that_cannot_be_opened_is_found_by_check_config() {
	refused 73 "cannot open the output file:$work/none/x: No such file or directory; its directory must be there" \
		$netlog --check-config -o "file:$work/none/x"
	refused 73 "cannot open the output file:$work: Is a directory; give a file in it" $netlog --check-config -o "file:$work"
	refused 73 "cannot open the output record:$work/none/x: No such file" $netlog --check-config -w "$work/none/x"
	mkdir "$work/closed"
	chmod 755 "$work" "$work/closed"
	refused 73 "cannot open the output file:$work/closed/x: Permission denied" \
		setpriv --reuid=65534 --clear-groups $netlog --check-config -o "file:$work/closed/x"
	status_of $netlog --check-config -o "file:$work/new" >/dev/null
	equal "status of one that can be made ($message)" "$status" 0
	[ ! -e "$work/new" ] || fail "it has been made"
}

# As the start would say it, for each cause that can be known beforehand.
test_check_config_finds_what_the_start_would_find() {
	local output
	ln -s none/x "$work/dangling"
	echo text >"$work/text"
	: >"$work/other" && ln -s other "$work/link"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/socket"
	for output in "file:$work/dangling" "record:$work/text" "file:$work/new/" "file:$work/socket"; do
		status_of $netlog -q -d 0.01 -o "$output" >/dev/null
		equal "status of $output" "$status" 73
		refused 73 "$(sed -n 's/^netlog: //p' <<<"$message")" $netlog --check-config -o "$output"
	done
	for output in "file:$work/link" "file:$work/text" "record:$work/other" "file:/dev/null"; do
		status_of $netlog --check-config -o "$output" >/dev/null
		equal "status of $output ($message)" "$status" 0
	done
}

hostnames() { jq -r .hostname "$work/lines" | uniq | xargs; }

# A host is often named after its services have started
test_a_hostname_is_read_again_on_sighup() {
	unshare --uts sh -c 'hostname early && exec "$@"' sh "$netlog" -q -o "file:$work/lines" --stats-interval=0.1 &
	pid=$!
	wait_for 30 grep -qs start "$work/lines" || fail "no start"
	nsenter --target $pid --uts hostname late
	kill -HUP $pid
	wait_for 20 grep -q '"hostname":"late"' "$work/lines" || fail "$(hostnames)"
	kill $pid
	wait $pid
	equal "hostnames" "$(hostnames)" "early late"
}

test_a_hostname_can_be_given() {
	NETLOG_HOSTNAME=node-1 $netlog -q -d 0.1 >"$work/lines"
	equal "by the environment" "$(hostnames)" node-1
	NETLOG_HOSTNAME=node-1 $netlog -q -d 0.1 --hostname=node-2 >"$work/lines"
	equal "by the option" "$(hostnames)" node-2
	for name in "$(printf 'n%.0s' {1..65})" $'\xff'; do
		NETLOG_HOSTNAME=$name status_of $netlog -q -d 0.1 >"$work/lines"
		equal "of one that cannot be" "$(hostnames)" "$(uname -n)"
		[[ $message == *"NETLOG_HOSTNAME is left aside: "* ]] || fail "$message"
	done
	refused 2 "--hostname: a name is missing" $netlog --hostname=
}

test_an_environment_that_makes_no_sense_is_said_and_ends_no_run() {
	WATCHDOG_USEC=often status_of $netlog -q -d 0.1 >"$work/lines"
	equal "exit status" "$status" 0
	[[ $message == *"WATCHDOG_USEC or WATCHDOG_PID of the environment is no number"* ]] || fail "$message"
}

test_what_a_container_lacks_for_names_of_cgroups_is_said() {
	status_of unshare --cgroup "$netlog" -d 0.1 >/dev/null
	case $message in
	*"run the container with --cgroupns=host"*) ;;
	*) fail "$message" ;;
	esac
	status_of "$netlog" -d 0.1 >/dev/null
	case $message in
	*cgroupns*) fail "it says so on the host: $message" ;;
	esac
}

# Nothing that is run by it, or by whoever takes it over, gets more than it has
test_it_cannot_get_privileges_any_more() {
	$netlog -q -o "file:$work/lines" &
	pid=$!
	wait_for 30 grep -qs start "$work/lines" || fail "no start"
	equal "NoNewPrivs" "$(sed -n 's/^NoNewPrivs:\t//p' /proc/$pid/status)" 1
	kill $pid
	wait $pid
}

# As systemd while it is stopped, or starts anew: no line waits for it, nor does the end. What it has to know comes late.
test_a_service_manager_that_does_not_read_holds_nothing_up() {
	for address in "$work/manager" "@netlog-test-$$"; do
		tests/live/manager.py "$address" >"$work/messages" &
		manager=$!
		wait_for 10 grep -qs full "$work/messages" || fail "no manager"
		lines=$work/lines.$manager
		NOTIFY_SOCKET=$address WATCHDOG_USEC=100000 $netlog -q -o "file:$lines" -e rtt --stats-interval=0.1 &
		pid=$!
		wait_for 30 started "$lines" || fail "no start"
		more() { [ "$(grep -c '"event_type":"stats"' "$lines")" -gt 3 ]; }
		wait_for 30 more || fail "it waits for the manager"
		kill -USR1 $manager
		wait_for 10 grep -q WATCHDOG "$work/messages" || fail "no message: $(xargs <"$work/messages")"
		kill $pid
		wait $pid
		equal "exit status" $? 0
		check_books
		wait_for 10 grep -q STOPPING "$work/messages" || fail "no last message: $(xargs <"$work/messages")"
		kill $manager
		equal "first message" "$(grep -v full "$work/messages" | head -n 1)" READY
	done
}

run_tests
