#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Filters by cgroup and unit. The hierarchy is mounted where nobody else sees it; netlog-test.$$ goes at
# the end.
. "$(dirname "$0")/lib.sh"

cgroup=netlog-test.$$

# cgroups_exec COMMAND...: becomes the command, which sees the hierarchy; we are in our directory
cgroups_exec() {
	exec unshare --mount --propagation private \
		sh -c 'mkdir -p "$0" && mount -t cgroup2 cgroup2 "$0" && exec "$@"' "$work/cgroups" "$@"
}

needs_cgroups() {
	needs_mounts
	in_cgroups true 2>"$work/mount" || skip "no cgroup2: $(cat "$work/mount")"
	trap at_exit_of_cgroup_test EXIT
}

# in_cgroups COMMAND...: in its root
in_cgroups() {
	(cgroups_exec sh -c "cd $work/cgroups && exec \"\$@\"" sh "$@")
}

# seeing_cgroups COMMAND...: as cgroups_exec, but we go on behind it
seeing_cgroups() { (cgroups_exec "$@"); }

cgroups_removed() {
	! in_cgroups test -d "$cgroup" || in_cgroups find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
}

# cgroup_exec PATH COMMAND...: becomes the command, in that cgroup
cgroup_exec() {
	local path=$work/cgroups/$1
	shift
	cgroups_exec sh -c "echo \$\$ >$path/cgroup.procs && exec \"\$@\"" sh "$@"
}

at_exit_of_cgroup_test() {
	at_exit_of_test
	wait_for 10 cgroups_removed || echo "# the cgroup $cgroup is left"
}

# In the whole hierarchy, and in a cgroup namespace, which hides the levels above
test_a_cgroup_with_those_below_it_and_a_unit() {
	needs_cgroups
	unit=netlog-test-$$
	wire_up --delay-ms 1 --drop-every 9
	in_cgroups mkdir -p "$cgroup/$unit.service/inner" "$cgroup/$unit.service2"
	id=$(in_cgroups stat -c %i "$cgroup/$unit.service/inner")
	inside=".cgroup_id == \"$id\""
	run() { # FILE OPTIONS: a netlog that sees the hierarchy; its options may name it @
		local file=$1
		shift
		cgroups_exec "$netlog" -q --output="file:$file" "$@" &
		runs+=($!)
		files+=("$file")
		wait_for 30 started "$file" || fail "no start: $*"
	}
	runs=() files=()
	run "$work/whole"
	run "$work/path" --cgroup="/$cgroup/$unit.service/"
	run "$work/leaf" --cgroup="$work/cgroups//$cgroup/./$unit.service/inner"
	run "$work/not-path" --not-cgroup="/$cgroup/$unit.service"
	run "$work/unit" --unit="$unit"
	run "$work/not-unit" --not-unit="$unit.service"
	run "$work/root" --cgroup=/
	run "$work/pair" --unit="$unit" --port=8000-8009
	# in a namespace of cgroups, levels are not known
	hide="umount $work/cgroups && mount -t cgroup2 cgroup2 $work/cgroups && exec $netlog -q --output=file:$work/hidden"
	(cgroup_exec "$cgroup/$unit.service2" unshare --cgroup --mount --propagation private \
		sh -c "$hide --cgroup=/../$unit.service") 2>"$work/refused"
	grep -q "there is no cgroup '/../$unit.service'" "$work/refused" || fail "$(cat "$work/refused")"
	cgroup_exec "$cgroup" unshare --cgroup --mount --propagation private sh -c "$hide --unit=$unit" &
	runs+=($!)
	files+=("$work/hidden")
	wait_for 30 started "$work/hidden" || fail "no start in a namespace"
	for family in 4 6; do
		ports $family
		(cgroup_exec "$cgroup/$unit.service/inner" timeout 60 build/traffic --client "$ns0" \
			--server "$ns1" --family $family --messages 40) >"$work/truth" || fail "traffic failed"
		traffic --family $family --messages 40
	done
	kill -TERM "${runs[@]}"
	wait "${runs[@]}" || fail "a netlog ended with $?"
	ours "$work/whole" >"$work/all"
	in_count=$(jq -c "select($inside)" "$work/all" | count)
	out_count=$(jq -c "select(has(\"cgroup_id\")) | select($inside | not)" "$work/all" | count)
	for file in "${files[@]}"; do
		lines=$file
		check_books
		ours "$file" >"$work/seen"
		case ${file##*/} in
		path | leaf | unit | hidden)
			equal "${file##*/}: others" "$(jq -c "select($inside | not)" "$work/seen" | head -n 2)" ""
			at_least "${file##*/}" "$(count <"$work/seen")" 97 "$in_count"
			;;
		pair)
			equal "pair: others" "$(jq -c "select($inside and .ip_version == 6 | not)" "$work/seen" | head -n 2)" ""
			at_least "pair" "$(count <"$work/seen")" 30 "$in_count"
			;;
		not-*)
			equal "${file##*/}: others" "$(jq -c "select($inside)" "$work/seen" | head -n 2)" ""
			at_least "${file##*/}" "$(count <"$work/seen")" 97 "$out_count"
			;;
		root)
			at_least "root" "$(count <"$work/seen")" 97 $((in_count + out_count))
			;;
		esac
	done
}

# The kernel side walks up a limited number of levels. A deeper cgroup would be compared at a wrong level.
test_a_cgroup_too_deep_is_refused() {
	needs_cgroups
	local deep=$cgroup
	for _ in {2..255}; do deep+=/d; done
	in_cgroups mkdir -p "$deep/d" || fail "no cgroup so deep"
	refused 2 "--cgroup: it lies 256 levels deep, and 255 are the most" seeing_cgroups "$netlog" --check-config --cgroup="/$deep/d"
	status_of seeing_cgroups "$netlog" --check-config --cgroup="/$deep" >/dev/null
	equal "exit status of one level less ($message)" "$status" 0
}

test_a_hierarchy_is_found_where_the_path_has_a_space() {
	needs_cgroups
	in_cgroups mkdir "$cgroup"
	mkdir "$work/a b\\c"
	status_of seeing_cgroups sh -c 'mount -t cgroup2 cgroup2 "$1" && exec "$2" --check-config --cgroup="$1/$3"' \
		sh "$work/a b\\c" "$netlog" "$cgroup" >/dev/null
	equal "exit status ($message)" "$status" 0
}

# A unit that is restarted has another cgroup, and its slice, too, where it was the last one there. It
# may come long after that, as a user's units after the login.
started_again() {
	needs_cgroups
	unit=netlog-test-$$
	wire_up
	slice=$cgroup/netlog-test.slice
	in_cgroups mkdir -p "$slice/$unit.service"
	lines=$work/lines.jsonl
	cgroups_exec "$netlog" --output="file:$lines$1" --events=latency --latency-stage=app "${@:2}" \
		2>"$work/netlog.log" &
	# shellcheck disable=SC2034 # netlog_stop waits for it
	netlog_pid=$!
	wait_for 30 started "$lines" || fail "no start: $(cat "$work/netlog.log")"
	# A cgroup that is gone is named, with the reason. Such a look may also come between the end of one and
	# the start of its successor.
	seen() { grep -c "looked up anew$1" "$work/netlog.log"; }
	seen_again() { [ "$(seen "$1")" -gt "$before" ]; }
	told() { [ "$(jq -c "select(.cgroup_id == \"$id\")" "$lines" | count)" -ge 20 ]; }
	for part in service slice later; do
		before=$(seen '$')
		if [ $part = service ]; then
			in_cgroups sh -c "rmdir $slice/$unit.service && mkdir $slice/$unit.service"
		elif [ $part = slice ]; then
			in_cgroups sh -c "rmdir $slice/$unit.service $slice && mkdir -p $slice/$unit.service"
		else
			before=$(seen ': ')
			in_cgroups sh -c "rmdir $slice/$unit.service $slice && mkdir $slice"
			wait_for 20 seen_again ': ' ||
				fail "that the unit has ended was not seen: $(cat "$work/netlog.log")"
			before=$(seen '$')
			in_cgroups mkdir "$slice/$unit.service"
		fi
		id=$(in_cgroups stat -c %i "$slice/$unit.service")
		wait_for 20 seen_again '$' || fail "the new cgroup ($part) was not seen: $(cat "$work/netlog.log")"
		(cgroup_exec "$slice/$unit.service" timeout 60 build/traffic --client "$ns0" --server "$ns1" \
			--messages 20) >"$work/truth" || fail "traffic failed"
		wait_for 10 told || fail "no lines of the restarted unit ($part)"
	done
	traffic --messages 20
	netlog_stop
	check_books
	equal "lines of others" "$(ours "$lines" | jq -r .cgroup_id | sort -u | count)" 3
}

test_a_unit_that_is_started_again_is_logged_again() {
	started_again "" "--unit=netlog-test-$$"
}

test_a_cgroup_that_is_made_again_is_logged_again() {
	started_again "" "--cgroup=/$cgroup/netlog-test.slice/netlog-test-$$.service"
}

# By another output's filter, beside one for all that never changes
test_a_unit_of_an_outputs_own_that_is_started_again_is_logged_again() {
	started_again ",unit=netlog-test-$$" --output="file:/dev/null,cgroup=/,events=rtt" --proto=tcp
}

# Also where the configuration names it: that is what a service would start with
test_a_unit_that_does_not_run_is_waited_for() {
	needs_cgroups
	unit=netlog-test-$$
	wire_up
	in_cgroups mkdir "$cgroup"
	echo "{ \"unit\": \"$unit\", \"not-unit\": \"no-such\", \"cgroup\": \"/$cgroup\" }" >"$work/conf"
	lines=$work/lines.jsonl
	cgroups_exec "$netlog" --output="file:$lines" --config="$work/conf" 2>"$work/netlog.log" &
	# shellcheck disable=SC2034 # netlog_stop waits for it
	netlog_pid=$!
	wait_for 30 started "$lines" || fail "no start: $(cat "$work/netlog.log")"
	for missing in "unit: no unit '$unit.service' is running" "not-unit: no unit 'no-such.service' is running"; do
		grep -q "netlog: $missing" "$work/netlog.log" || fail "$(cat "$work/netlog.log")"
	done
	in_cgroups mkdir "$cgroup/netlog.slice"
	in_cgroups mkdir "$cgroup/netlog.slice/$unit.service"
	wait_for 20 grep -q "looked up anew" "$work/netlog.log" || fail "not found: $(cat "$work/netlog.log")"
	(cgroup_exec "$cgroup/netlog.slice/$unit.service" timeout 60 build/traffic --client "$ns0" --server "$ns1" \
		--messages 20) >"$work/truth" || fail "traffic failed"
	netlog_stop
	check_books
	[ "$(ours "$lines" | count)" -ge 20 ] || fail "no lines of the unit"
}

# A user has a part of the tree, and makes as many cgroups there as there is room for and more
test_a_users_cgroups_named_like_the_systems_unit_bend_no_filter() {
	needs_cgroups
	unit=netlog-test-$$
	wire_up
	in_cgroups mkdir -p "$cgroup/$unit.service" "$cgroup/user"
	in_cgroups chown 12345 "$cgroup/user"
	for i in {1..33}; do
		in_cgroups mkdir -p "$cgroup/user/$i/$unit.service"
	done
	id=$(in_cgroups stat -c %i "$cgroup/$unit.service")
	user=$(in_cgroups stat -c %i "$cgroup/user/7/$unit.service")
	runs=()
	for option in unit not-unit; do
		cgroups_exec "$netlog" --output="file:$work/$option" "${ours[@]}" --$option="$unit" 2>"$work/$option.log" &
		runs+=($!)
		wait_for 30 started "$work/$option" || fail "no start: $(cat "$work/$option.log")"
		grep -q "netlog: $option=$unit.service leaves aside 33 cgroups" "$work/$option.log" ||
			fail "$(cat "$work/$option.log")"
	done
	for path in "$unit.service" "user/7/$unit.service"; do
		(cgroup_exec "$cgroup/$path" timeout 60 build/traffic --client "$ns0" --server "$ns1" \
			--messages 20) >"$work/truth" || fail "traffic failed"
	done
	kill -TERM "${runs[@]}"
	wait "${runs[@]}" || fail "a netlog ended with $?"
	equal "cgroups with --unit" "$(jq -r '.cgroup_id // empty' "$work/unit" | sort -u)" "$id"
	equal "cgroups with --not-unit" "$(jq -r '.cgroup_id // empty' "$work/not-unit" | grep -cw "$id")" 0
	[ "$(jq -r '.cgroup_id // empty' "$work/not-unit" | grep -cw "$user")" -ge 20 ] ||
		fail "the user has hidden behind the system's name"
}

# Each directory that is walked through is open. Whom a shortage hides is there all the same: its lines go on.
test_a_unit_is_not_taken_for_gone_where_the_cgroups_cannot_be_read() {
	needs_cgroups
	unit=netlog-test-$$
	in_cgroups mkdir -p "$cgroup/$unit.service"
	cgroups_exec "$netlog" --output="file:$work/lines" --events=rtt --unit=$unit 2>"$work/netlog.log" &
	pid=$!
	wait_for 30 started "$work/lines" || fail "no start: $(cat "$work/netlog.log")"
	told() { [ "$(grep -c "$1" "$work/netlog.log")" = "$2" ]; }
	used=0
	while [ -e /proc/$pid/fd/$used ]; do used=$((used + 1)); done
	# no look can begin; it begins, and cannot go below the root
	for spare in 0 2; do
		prlimit --pid $pid --nofile=$((used + spare)):
		in_cgroups mkdir "$cgroup/$spare.slice"
		wait_for 20 told "Too many open files; those that are known stay" $((1 + spare / 2)) ||
			fail "not said: $(cat "$work/netlog.log")"
		in_cgroups sh -c "rmdir $cgroup/$unit.service && mkdir $cgroup/$unit.service"
		told "looked up anew" $((spare / 2)) || fail "taken for gone: $(cat "$work/netlog.log")"
		prlimit --pid $pid --nofile="$(ulimit -Sn)":
		wait_for 20 told "looked up anew$" $((1 + spare / 2)) || fail "not tried again: $(cat "$work/netlog.log")"
	done
	kill $pid
	wait $pid
	equal "exit status" $? 0
}

# The sockets that systemd makes for a service, and what it accepts from them, stay in the cgroup of the socket unit
test_a_service_is_found_by_the_sockets_that_systemd_has_made_for_it() {
	needs_cgroups
	unit=netlog-test-$$
	wire_up
	in_cgroups mkdir -p "$cgroup/$unit.socket" "$cgroup/$unit.service"
	lines=$work/lines.jsonl
	cgroups_exec "$netlog" -q --output="file:$lines" "${ours[@]}" --unit="$unit" &
	# shellcheck disable=SC2034 # netlog_stop waits for it
	netlog_pid=$!
	wait_for 30 started "$lines" || fail "no start"
	for type in socket service; do
		(cgroup_exec "$cgroup/$unit.$type" timeout 60 build/traffic --client "$ns0" --server "$ns1" \
			--messages 20) >"$work/truth" || fail "traffic failed"
	done
	netlog_stop
	equal "cgroups" "$(jq -r '.cgroup_id // empty' "$lines" | sort -u | xargs)" \
		"$(in_cgroups stat -c %i "$cgroup/$unit.socket" "$cgroup/$unit.service" | sort | xargs)"
}

# What stands in for more than there is room for must not be cut in silence
test_more_units_than_there_is_room_for_are_refused() {
	needs_cgroups
	in_cgroups sh -c "mkdir $cgroup && for i in \$(seq 33); do mkdir -p $cgroup/\$i/netlog-test-$$.service; done"
	refused 2 "32 values are the most" seeing_cgroups "$netlog" --check-config --unit="netlog-test-$$"
}

run_tests
