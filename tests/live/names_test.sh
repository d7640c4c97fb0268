#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Names of cgroups, where there are many of them, and who looks for them.
. "$(dirname "$0")/lib.sh"

many=2000

needs_a_tree() {
	cgroups_mount
	tree=$work/cgroups/netlog-test.$$
	trap at_exit_of_names_test EXIT
	cgroups_are_ours "$tree"
	mkdir "$tree" && (cd "$tree" && seq "$many" | xargs mkdir) || fail "no cgroups"
}

# netlog alone tells what it reads, in $NETLOG_READS, and its threads are held up by $NETLOG_HOLDS (reads.so.c)
reads_are_told() {
	export NETLOG_READS=$work/reads NETLOG_HOLDS=$work/hold
	printf '#!/bin/sh\nexec env LD_PRELOAD="%s" %s "$@"\n' "$sanitizer $PWD/build/reads.so" "$netlog" >"$work/reading"
	chmod +x "$work/reading"
	netlog=$work/reading
}

at_exit_of_names_test() {
	rm -f "${NETLOG_HOLDS:-}" # a thread that is held up does not end
	at_exit_of_test
}

# traffic_in CGROUP OPTIONS: traffic's processes are in it
traffic_in() {
	local cgroup=$1
	shift
	timeout 60 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$tree/$cgroup" \
		build/traffic --client "$ns0" --server "$ns1" "$@" >"$work/truth" || fail "traffic failed"
}

# Each new cgroup is one that netlog does not know: it walks through all cgroups for the names. That takes as long as
# others please, and so a walk is held up here until all lines are there.
test_no_event_waits_for_a_walk_through_all_cgroups() {
	needs_a_tree
	wire_up
	reads_are_told
	netlog_start -e latency --latency-stage=app
	touch "$NETLOG_HOLDS"
	before=$(grep -c '^main' "$NETLOG_READS")
	for i in {1..10}; do
		mkdir "$tree/new.$i"
		traffic_in "new.$i" --messages 30
	done
	all_there() {
		local i
		for i in {1..10}; do
			[ "$(jq -c "select(.cgroup_id == \"$(stat -c %i "$tree/new.$i")\")" "$lines" | count)" -ge 60 ] || return 1
		done
	}
	wait_for 20 all_there || fail "lines wait for a walk"
	wait_for 20 grep -q '^thread' "$NETLOG_READS" || fail "nobody walks"
	rm "$NETLOG_HOLDS"
	# walks take a small part of the time; with an event, netlog looks whether it has that again
	named() { traffic_in new.10 && grep -q '"cgroup":"[^"]*/new.10"' "$lines"; }
	wait_for 30 named || fail "no name of a new cgroup"
	netlog_stop
	check_books
	equal "directories read by the thread that drains" "$(grep -c '^main' "$NETLOG_READS")" "$before"
	[ "$(grep -c "^thread.*/netlog-test.$$/" "$NETLOG_READS")" -ge $many ] || fail "no walk by a thread"
	equal "lost" "$(jq -c 'select(.event_type == "lost")' "$lines")" ""
}

# A unit is looked for among all cgroups, also where the configuration is read again
test_no_event_waits_for_a_reload() {
	needs_a_tree
	wire_up
	mkdir "$tree/netlog-test-$$.service"
	echo "{ \"not-unit\": [\"netlog-test-$$\", \"no-such\"], \"events\": [\"latency\"] }" >"$work/conf"
	reads_are_told
	netlog_start --config="$work/conf"
	touch "$NETLOG_HOLDS"
	before=$(grep -c '^main' "$NETLOG_READS") threads=$(grep -c '^thread' "$NETLOG_READS")
	kill -HUP $netlog_pid
	reading() { [ "$(grep -c '^thread' "$NETLOG_READS")" -gt "$threads" ]; }
	wait_for 20 reading || fail "nobody reads the configuration"
	traffic --messages 20
	told() { [ "$(events latency client 'select(.stage == "app")' | count)" -ge 20 ]; }
	wait_for 20 told || fail "lines wait for a reload"
	equal "reload lines" "$(grep -c '"event_type":"reload"' "$lines")" 0
	rm "$NETLOG_HOLDS"
	wait_for 20 grep -q '"event_type":"reload"' "$lines" || fail "no reload"
	netlog_stop
	check_books
	equal "directories and files read by the thread that drains" "$(grep -c '^main' "$NETLOG_READS")" "$before"
}

# ---- cgroups of version 1: only where the host has them

needs_version_1() {
	grep -q ':name=systemd:' /proc/self/cgroup || skip "no cgroups of version 1 here, and none may be made for all to see"
	cgroups_mount
	tree=$work/cgroups/netlog-test.$$
	v1=$work/v1
	trap at_exit_of_version_1_test EXIT
	mkdir "$v1" && mount -t cgroup -o none,name=systemd cgroup "$v1" || fail "no hierarchy of systemd's"
	cgroups_are_ours "$tree" "$v1/netlog-test.$$"
	mkdir "$tree" "$v1/netlog-test.$$" || fail "no cgroups"
}

at_exit_of_version_1_test() {
	at_exit_of_names_test
	umount "$v1"
}

# chat_in V1 V2: traffic without end, by processes in these cgroups; its pid is the last of $chats
chat_in() {
	sh -c 'echo $$ >"$0/cgroup.procs" && echo $$ >"$1/cgroup.procs" && shift && exec "$@"' "$v1/netlog-test.$$/$1" "$tree/$2" \
		build/traffic --client "$ns0" --server "$ns1" --messages 1000000 --gap-ms 50 >/dev/null 2>&1 &
	chats+=($!)
}

# The socket's own cgroup is that of the container's manager, or the root: docker with version 1 does that.
test_with_version_1_a_line_has_the_unit_and_container_of_its_process() {
	needs_version_1
	wire_up
	id=$(printf 'ab%.0s' $(seq 32))
	mkdir -p "$v1/netlog-test.$$/docker/$id" "$v1/netlog-test.$$/web.service" "$tree/manager.service"
	chats=()
	netlog_start -e latency --latency-stage=app --unit=manager -w "$work/recording"
	grep -q "this host has version 1, too" "$work/netlog.log" || fail "not said: $(cat "$work/netlog.log")"
	chat_in "docker/$id" manager.service
	chat_in web.service manager.service
	chat_in .. manager.service
	pids=("${chats[@]}")
	units() { jq -c --argjson pid "$1" 'select(.pid == $pid) | [.unit, .container_id]' "$lines" | sort -u | grep -v '^.null,null.$'; }
	all_told() { [ "$(for pid in "${pids[@]}"; do units "$pid"; done | count)" -ge 3 ]; }
	wait_for 30 all_told || fail "not told: $(tail -n 3 "$lines")"
	kill "${chats[@]}"
	wait "${chats[@]}" 2>/dev/null
	netlog_stop
	check_books
	equal "of the container" "$(units "${pids[0]}")" "[null,\"$id\"]"
	equal "of the unit" "$(units "${pids[1]}")" '["web.service",null]'
	equal "of what version 1 has put nowhere" "$(units "${pids[2]}")" '["manager.service",null]'
	equal "cgroup of the sockets" "$(jq -r '.cgroup // empty' "$lines" | sort -u)" "/netlog-test.$$/manager.service"
	"$netlog" -q -r "$work/recording" >"$work/again" || fail "no replay"
	equal "lines of the replay" "$(event_lines "$work/again" | md5sum)" "$(event_lines "$lines" | md5sum)"
	"$netlog" -q -r "$work/recording" --unit=web >"$work/again" || fail "no replay"
	equal "unit of the replay" "$(jq -r '.unit // empty' "$work/again" | sort -u)" web.service
	[ "$("$netlog" --doctor=json | jq '[.checks[] | select(.check == "cgroups" and .blind)] | length')" = 1 ] ||
		fail "the doctor does not say what filters cannot see"
}

# /proc may be mounted so that others' processes are hidden: then version 2 tells as much as it can.
test_with_version_1_and_hidden_processes_a_line_has_the_unit_of_its_socket() {
	needs_version_1
	wire_up
	mkdir -p "$v1/netlog-test.$$/web.service" "$tree/manager.service"
	# hidepid=invisible hides nothing from root's group; this does, once netlog has given up its capabilities
	cat >"$work/hidden" <<-END
		#!/bin/sh
		exec unshare -m sh -c 'mount -t proc -o hidepid=ptraceable proc /proc && exec "\$0" "\$@"' $netlog "\$@"
	END
	chmod +x "$work/hidden"
	netlog=$work/hidden
	equal "the doctor's check" "$("$netlog" --doctor=json | jq -c '.checks[] | select(.check == "cgroups") |
		[.state, .blind != null]')" '["refused",true]'
	chats=()
	netlog_start -e latency --latency-stage=app
	grep -q "/proc hides the processes" "$work/netlog.log" || fail "not said: $(cat "$work/netlog.log")"
	chat_in web.service manager.service
	told() { jq -e --argjson pid "${chats[0]}" 'select(.pid == $pid and .unit)' "$lines" >/dev/null; }
	wait_for 30 told || fail "no unit: $(tail -n 3 "$lines")"
	kill "${chats[@]}"
	wait "${chats[@]}" 2>/dev/null
	netlog_stop
	check_books
	equal "units" "$(jq -c 'select(.unit) | [.unit, .cgroup_v1]' "$lines" | sort -u)" '["manager.service",null]'
}

run_tests
