#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The service as it is shipped and installed, under a real systemd: start, reload, logrotate, watchdog,
# stop, journal.
. "$(dirname "$0")/lib.sh"
. tests/live/container.sh

property() { in_container systemctl show --property="$1" --value netlog.service; }
# Not --after-cursor: with a filter it leaves out the first that matches.
journal() {
	in_container journalctl --sync # what has been sent is there
	in_container journalctl --no-pager --since="@$since" "$@"
}

# Everything as it was after installing, then: systemctl start. Its journal begins here.
service_start() {
	service_reset
	service_go
}

# Not the lines of all that this host does
wire_only() { sed -i "s/^{/{ \"netns\": [\"$(stat -Lc %i "$ns0")\", \"$(stat -Lc %i "$ns1")\"],/" "$conf"; }

service_go() {
	in_container systemctl start netlog.service 2>/dev/null || fail "no start: $(service_told)"
	pid=$(property MainPID)
}

service_reset() {
	rm -rf "$drop_in"
	in_container systemctl daemon-reload
	in_container systemctl stop netlog.service
	in_container systemctl reset-failed netlog.service 2>/dev/null
	cp systemd/netlog.conf "$conf"
	rm -f "${lines%/*}"/*
	since=$EPOCHREALTIME
}

service_told() {
	in_container systemctl --no-pager --full --lines=0 status netlog.service
	journal -u netlog.service -n 20 | cut -c 1-300
}

service_stop() {
	in_container systemctl stop netlog.service
	equal "how it ended" "$(property Result) $(property ExecMainStatus)" "success 0"
}

# Only up to the present end of the file: on a busy host netlog may write faster than jq reads.
more_lines() { # TYPE [FILTER]: are there any behind the first $seen bytes? These are seen then.
	local from=$seen
	seen=$(stat -c %s "$lines")
	tail -c +$((from + 1)) "$lines" | head -c $((seen - from)) |
		jq -cR "fromjson? | select(.event_type == \"$1\") | select(${2:-true})" | grep -q .
}

lines_go_on() {
	seen=$(stat -c %s "$lines")
	wait_for 20 more_lines "$@" || fail "no more lines of $*: $(service_told)"
}

test_it_is_active_when_it_logs_and_not_before() {
	service_start
	equal "the first line" "$(head -n 1 "$lines" | jq -r .event_type)" start
	equal "state" "$(property ActiveState) $(property SubState)" "active running"
	equal "condition" "$(property ConditionResult)" yes
	equal "it is the unit as shipped: drop-ins" "$(property DropInPaths)" ""
	equal "state by the preset" "$(in_container systemctl preset netlog.service
		in_container systemctl is-enabled netlog.service)" disabled
}

# The sandbox takes nothing away that it needs.
test_every_hook_attaches_in_the_sandbox() {
	service_start
	head -n 1 "$lines" | jq -e --arg boot "$(tr -d - </proc/sys/kernel/random/boot_id)" --argjson events "$(events_but)" '
		.events == $events and .boot_id == $boot' >/dev/null ||
		fail "$(head -n 1 "$lines")"
	# those that root has without a sandbox, but for what this host refuses to all
	hooks='.hooks[] | select(has("error") | not) | "\(.event) \(.part) \(.hook)"'
	"$netlog" -q -d 0.1 --latency-stage="$(jq -r '.filters["latency-stage"] // ["all"] | join(",")' < <(head -n 1 "$lines"))" |
		head -n 1 | jq -r "$hooks" >"$work/free"
	equal "hooks" "$(head -n 1 "$lines" | jq -r "$hooks")" "$(cat "$work/free")"
	# the container has namespaces of its own
	equal "messages" "$(journal _PID="$pid" -o cat | grep -v -e '^{' -e 'does not serve all parts' -e cgroupns \
		-e 'cgroups of version 1')" \
		"logging retransmit, rtt, latency to journald, file:/var/log/netlog/netlog.jsonl"
}

test_it_runs_as_netlog_and_has_no_capability_left() {
	service_start
	status() { in_container sed -n "s/^$1:\t//p" "/proc/$pid/status"; }
	equal "user and group" "$(status Uid | xargs) $(status Gid | xargs)" \
		"$(in_container bash -c 'for id in $(id -u netlog) $(id -g netlog); do
			echo $id $id $id $id; done' | xargs)"
	for set in Inh Prm Eff Amb; do
		equal "Cap$set" "$(status "Cap$set")" 0000000000000000
	done
	equal "seccomp" "$(status Seccomp)" 2
	equal "directory and file" "$(in_container stat -c '%U:%G %a' /var/log/netlog \
		/var/log/netlog/netlog.jsonl | xargs)" "netlog:netlog 750 netlog:netlog 640"
}

test_its_status_has_figures() {
	wire_up
	chatter 1
	service_start
	figures() { property StatusText | grep -q 'rtt [1-9].* [0-9]* lost'; }
	wait_for 20 figures || fail "status: \"$(property StatusText)\""
}

# The rules as shipped, by the real logrotate, while some thousand lines a second are written.
test_logrotate_loses_and_doubles_no_line() {
	wire_up
	chatter 1
	service_reset
	wire_only
	sed -i 's/"\(min-latency\|rtt-interval\)": 1000,/"\1": 0,/' "$conf"
	service_go
	for _ in 1 2 3 4 5 6; do
		grown() { [ -e "$lines" ] && [ "$(count <"$lines")" -gt 500 ]; }
		wait_for 20 grown || fail "no lines: $(service_told)"
		before=$(date +%s)
		in_container logrotate --force /etc/logrotate.d/netlog || fail "logrotate failed"
		later() { [ "$(date +%s)" -gt "$((before + 1))" ]; } # the name of the next one is another
		wait_for 20 later
	done
	wait_for 20 test -s "$lines" || fail "not opened anew: $(service_told)"
	service_stop
	equal "files, owners and modes" "$(in_container stat -c '%U:%G %a' \
		$(in_container sh -c "echo /var/log/netlog/*") | sort | uniq -c | xargs)" "7 netlog:netlog 640"
	# by their names they are in the order of time; the last one that was rotated is not compressed yet
	gunzip -c "$lines"-*.gz | cat - "$lines"-*[0-9] "$lines" >"$work/whole"
	lines=$work/whole
	check_books # seq from 1 on without a gap or a double
}

test_reload_reads_the_configuration_again_and_loses_no_line() {
	wire_up
	chatter 1
	service_start
	lines_go_on rtt
	# on this wire every packet is faster than the shipped min-latency, or nearly so
	wire_only
	sed -i 's/"min-latency": 1000,/"min-latency": 0,/' "$conf"
	in_container systemctl reload netlog.service || fail "reload failed: $(service_told)"
	lines_go_on latency '.latency_ns < 1000000'
	equal "state and process" "$(property ActiveState) $(property MainPID)" "active $pid"
	service_stop
	equal "reload lines" "$(jq 'select(.event_type == "reload") | .seq' "$lines" | count)" 1
	check_books
}

test_a_broken_configuration_is_refused_on_reload_and_it_goes_on() {
	wire_up
	chatter 1
	service_start
	echo '{"min-latency": "soon"' >"$conf"
	! in_container systemctl reload netlog.service 2>/dev/null || fail "a broken file is called reloaded"
	journal -o cat PRIORITY=3 _SYSTEMD_UNIT=netlog.service | grep -q "netlog.conf:1: " || fail "nothing said: $(service_told)"
	echo '{"output": ["file:/no/such/directory/x"]}' >"$conf"
	! in_container systemctl reload netlog.service 2>/dev/null || fail "an output without a directory is called reloaded"
	# by the signal alone, as logrotate does it
	echo '{"min-latency": "soon"' >"$conf"
	in_container systemctl kill --signal=HUP --kill-who=main netlog.service
	refused() { journal -o cat PRIORITY=3 _PID="$pid" | grep -q "netlog.conf:1: .*going on with the old"; }
	wait_for 20 refused || fail "nothing said: $(service_told)"
	lines_go_on rtt
	equal "state and process" "$(property ActiveState) $(property MainPID)" "active $pid"
	service_stop
	check_books
}

test_a_broken_configuration_on_start_fails_once() {
	service_reset
	echo '{"no-such-option": 1}' >"$conf"
	! in_container systemctl start netlog.service 2>/dev/null || fail "it starts: $(service_told)"
	# waiting to be restarted, it would be activating
	equal "state" "$(property ActiveState) $(property SubState)" "failed failed"
	equal "status and restarts" "$(property ExecMainStatus) $(property NRestarts)" "78 0"
	journal -o cat -u netlog.service | grep -q "no-such-option" || fail "nothing said: $(service_told)"
}

# README's recipe for a shipper, where the shipper is not there
test_a_unit_that_does_not_run_is_no_reason_not_to_start() {
	service_reset
	sed -i 's/^{/{ "not-unit": "vector.service",/' "$conf"
	service_go
	journal -o cat _PID="$pid" | grep -q "not-unit: no unit 'vector.service' is running" || fail "nothing said: $(service_told)"
	in_container systemctl reload netlog.service || fail "reload failed: $(service_told)"
	equal "state" "$(property ActiveState) $(property NRestarts)" "active 0"
}

# perf_event_open() attaches kprobes. This kernel need not have any: what counts is who refuses.
test_the_sandbox_lets_kprobes_be_attached() {
	service_reset
	mkdir -p "$drop_in"
	cat >"/proc/$init/root/var/perf.py" <<-'END'
		import ctypes, errno, sys
		libc = ctypes.CDLL(None, use_errno=True)
		attributes = (ctypes.c_char * 128)()
		attributes[4] = 128  # size; a type and an event that there is everywhere: software, cpu-clock
		attributes[0] = 1
		fd = libc.syscall(int(sys.argv[1]), attributes, 0, -1, -1, 0)
		print("perf_event_open:", errno.errorcode.get(ctypes.get_errno(), "taken") if fd < 0 else "taken")
	END
	printf '[Service]\nExecStartPre=/usr/bin/python3 /var/perf.py %s\n' \
		"$(printf '#include <sys/syscall.h>\nSYS_perf_event_open\n' | cc -E -P - | tail -n 1)" >"$drop_in/perf.conf"
	free=$(/usr/bin/python3 "/proc/$init/root/var/perf.py" "$(sed -n 's/.*perf.py //p' "$drop_in/perf.conf")")
	in_container systemctl daemon-reload
	service_go
	equal "in the sandbox" "$(journal -o cat -u netlog.service | grep perf_event_open)" "$free"
}

test_a_daemon_that_hangs_is_killed_and_started_again() {
	# For this test only: the shipped times are for people.
	service_reset
	mkdir -p "$drop_in"
	printf '[Service]\nWatchdogSec=2\nRestartSec=100ms\n' >"$drop_in/short.conf"
	in_container systemctl daemon-reload
	service_go
	in_container systemctl kill --signal=STOP --kill-who=main netlog.service
	# both at one time: the old one is active, too, and the new one has a pid before it is
	again() {
		local seen
		seen=$(in_container systemctl show --property=ActiveState,MainPID netlog.service | sort | xargs)
		case $seen in
		*"=$pid" | *"=0") return 1 ;;
		"ActiveState=active MainPID="*) ;;
		*) return 1 ;;
		esac
	}
	wait_for 60 again || fail "not started again: $(service_told)"
	journal -o cat -u netlog.service | grep -q "Watchdog timeout" || fail "$(service_told)"
	[ "$(property NRestarts)" -gt 0 ] || fail "it was not systemd that started it again"
	[ "$(jq -r 'select(.event_type == "start") | .run_id' "$lines" | sort -u | count)" -gt 1 ] ||
		fail "it does not log: $(service_told)"
}

test_stop_ends_it_in_order() {
	service_start
	service_stop
	equal "the last line" "$(tail -n 1 "$lines" | jq -r '.event_type + " " + .reason')" "stop SIGTERM"
	/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "a line is not valid"
	check_books
}

test_retransmits_are_in_the_journal_field_by_field() {
	wire_up --drop-every 10
	service_start
	traffic --messages 100
	port=$(of client local_port)
	at_hand() { journal NETLOG_EVENT=retransmit NETLOG_NETNS="$(of client netns)" NETLOG_SRC_PORT="$port" -o json; }
	# stopping flushes both outputs
	service_stop
	[ "$(at_hand | count)" -gt 0 ] || fail "none: $(service_told)"
	equal "numbers of the lines in the journal" "$(at_hand | jq -r .NETLOG_SEQ | xargs)" \
		"$(events retransmit client .seq | xargs)"
	at_hand | jq -es --arg ip "$(events retransmit client .dest_ip | head -n 1 | tr -d '"')" '
		all(.[]; .NETLOG_DEST_IP == $ip and .NETLOG_RETRANS_TYPE and .NETLOG_SEGS and
			.MESSAGE_ID == "d924293e3c9c472e9c5e429b9b384251" and
			._SYSTEMD_UNIT == "netlog.service" and .SYSLOG_IDENTIFIER == "netlog")' >/dev/null ||
		fail "$(at_hand | head -n 1)"
	equal "other events in the journal" "$(journal -o json NETLOG_EVENT=rtt | count)" 0
}

test_the_journal_feeds_jq_and_explains_itself() {
	wire_up --drop-every 10
	service_start
	traffic --messages 100
	service_stop
	# systemd's words and netlog's messages, which are no JSON, have come on other ways
	equal "what jq reads" "$(journal -t netlog -o cat _TRANSPORT=journal | jq -r 'select(.where != "hook") | .event_type' |
		sort -u | xargs)" "retransmit start stop"
	journal -x -u netlog >"$work/explained"
	for words in "Subject: netlog [0-9.]* has started" "Subject: TCP sent again to 10.77.0.2 port" \
		"Subject: netlog has stopped: SIGTERM"; do
		grep -q "$words" "$work/explained" || fail "no \"$words\": $(cat "$work/explained")"
	done
	! grep '^-- .*@NETLOG_' "$work/explained" || fail "a field of the catalog's is not in the journal"
}

# Interrupts this file itself, which starts a container and waits.
test_an_interrupted_container_leaves_nothing_behind() {
	export TMPDIR=$work/tmp
	mkdir "$TMPDIR" "$work/container"
	sort /proc/self/mountinfo >"$work/mounts"
	for signal in INT TERM KILL; do
		env --default-signal=INT "$0" --wait >"$work/out" 2>&1 &
		pid=$!
		runs() { [ -n "$(find "$TMPDIR" -name up)" ]; }
		wait_for 60 runs || fail "it did not start: $(cat "$work/out")"
		kill -$signal $pid
		wait $pid 2>/dev/null
		none() { ! grep -qs "netlog-test.$pid" /proc/[0-9]*/cgroup; }
		wait_for 20 none || fail "after SIG$signal: $(grep -s "netlog-test.$pid" /proc/[0-9]*/cgroup)"
		# others of the host may go here, too, when their mount points do
		equal "mounts after SIG$signal" "$(sort /proc/self/mountinfo | comm -13 "$work/mounts" -)" ""
		# after SIGKILL nobody is left to remove an empty cgroup and files
		[ $signal = KILL ] || equal "files and cgroups after SIG$signal" "$(ls "$TMPDIR"
			in_cgroups ls | grep -F "netlog-test.$pid")" ""
	done
	wait_for 20 cgroup_removed "netlog-test.$pid" || fail "its cgroup is not empty"
}

# The same, but for the daemon, which may write its reports. LeakSanitizer cannot look: it would stop
# its process by ptrace(2), which the unit forbids.
sanitized_package() {
	reports=/proc/$init/root/var/reports
	mkdir -m 1777 "$reports"
	cp "$netlog" "$work/package/usr/sbin/netlog"
	sed -i "/^\[Service\]/a ReadWritePaths=/var/reports\n\
Environment=ASAN_OPTIONS=log_path=/var/reports/asan:use_sigaltstack=0:detect_leaks=0\n\
Environment=UBSAN_OPTIONS=log_path=/var/reports/ubsan:print_stacktrace=1" \
		"$work/package/usr/lib/systemd/system/netlog.service"
}

why_skipped=$(why_no_container)
[ -z "$why_skipped" ] || run_tests
container_up
if [ "${1:-}" = --wait ]; then
	touch "$work/up"
	wait "$container_pid"
fi
drop_in=/proc/$init/root/run/systemd/system/netlog.service.d
conf=/proc/$init/root/etc/netlog/netlog.conf
lines=/proc/$init/root/var/log/netlog/netlog.jsonl
# as a package is installed, and then the commands that make install asks for
{
	make -s install PREFIX=/usr DESTDIR="$work/package" &&
		{ [ "${SANITIZE:-}" != 1 ] || sanitized_package; } &&
		cp -r "$work/package/." "/proc/$init/root/" &&
		in_container systemd-sysusers &&
		in_container journalctl --update-catalog &&
		in_container systemctl daemon-reload
} >"$work/install" 2>&1 || fail "not installed: $(cat "$work/install")"
run_tests
