#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What is true of every event, whatever it tells: each filter that there is lets it through or leaves it out, it
# is sampled, it has its owner, and a recording gives it back. Events and filters come from their rows, so that
# one more is tested, too; adding_an_event_test.sh has two more.
#
#   EVENTS=a,b   only these
. "$(dirname "$0")/lib.sh"
. tests/live/watch.sh
[ -z "${EVENTS:-}" ] || event_types() { tr , '\n' <<<"$EVENTS"; }
chosen=(${EVENTS:+"--events=$EVENTS"})

# Each event is made at both ends over IPv4 and IPv6, retransmits by turns: with a loss of an even count of packets,
# of which the one sent again is one, the next is the other end's.
traffic=(--messages 60 --bytes 100 --reply 100)

# Each filter's option, from its row
filter_options() { sed -n '/^#define FILTERS(F)/,/[^\\]$/s/^[[:space:]]*F([a-z_]*, "\([a-z-]*\)".*/\1/p' bpf/filter.h; }

# asked OPTION: a value of the filter as $value, and as $predicate (jq) which lines have it. One half lets these
# through, the other all others.
asked() {
	case $1 in
	addr) value=10.77.0.1 predicate=".src_ip == \"$value\" or .dest_ip == \"$value\"" ;;
	src-addr) value=10.77.0.1 predicate=".src_ip == \"$value\"" ;;
	dest-addr) value=10.77.0.1 predicate=".dest_ip == \"$value\"" ;;
	port) value=7000-7009 predicate="any(.src_port, .dest_port; . >= 7000 and . <= 7009)" ;;
	src-port) value=7000-8009 predicate=".src_port >= 7000 and .src_port <= 8009" ;;
	dest-port) value=7000-8009 predicate=".dest_port >= 7000 and .dest_port <= 8009" ;;
	proto) value=tcp predicate='.proto == "tcp"' ;;
	pid) value=$client predicate=".pid == $client" ;;
	comm) value=traffic predicate='.comm == "traffic"' ;;
	cgroup) value=/$unit predicate=".cgroup_id == \"$cgroup_id\"" ;;
	unit) value=$unit predicate=".cgroup_id == \"$cgroup_id\"" ;;
	netns) value=$(stat -Lc %i "$ns0") predicate=".netns == $value" ;;
	ifname) value=wire0 predicate='.ifname == "wire0"' ;;
	*) fail "there is a filter --$1, and this test has no value for it" ;;
	esac
	case $1 in
	# whose packet it is that has just come in nobody knows yet: neither half lets it through
	pid | comm | cgroup | unit) known='.stage != "transport"' ;;
	*) known=true ;;
	esac
}

# The connection over IPv4 is a process's whose pid is known beforehand, in a cgroup of its own that is called
# like a unit. That over IPv6 is of one with another name.
process_made() {
	cp build/traffic "$work/other"
	rm -f "$work/go" && mkfifo "$work/go"
	bash -c "echo \$\$ >'$work/cgroups/$unit/cgroup.procs' && read -r _ <'$work/go' &&
		exec build/traffic --client '$ns0' --server '$ns1' ${traffic[*]}" >"$work/truth.4" &
	client=$!
}

# figure NAME EVENT: in the stop line
figure() { tail -n 1 "$lines" | jq ".$1.$2 // 0"; }

# judged I OPTION: that netlog's lines, of each event by itself
judged() {
	local what=${options[$1]} lines=$work/watched.$1 event both
	check_books
	ours "$lines" >"$work/seen"
	jq -c "select(${predicates[$1]})" "$work/all" >"$work/wanted"
	for event in $events; do
		grep "\"event_type\":\"$event\"" "$work/seen" | tee "$work/seen.$event" | identities >"$work/told.$event"
		grep "\"event_type\":\"$event\"" "$work/wanted" | identities >"$work/wanted.$event"
		equal "$event: lines of $what that are not wanted" \
			"$(jq -c "select(${predicates[$1]} | not)" "$work/seen.$event" | head -n 3)" ""
		case $2 in
		proto | ifname) # that all have, or some have none of
			[ -s "$work/wanted.$event" ] || continue
			;;
		esac
		both=$(comm -12 "$work/wanted.$event" "$work/told.$event" | count)
		at_least "$event: lines of $what" $((both + $(figure lost "$event"))) 97 "$(count <"$work/wanted.$event")"
	done
}

test_every_event_obeys_every_filter() {
	local option index
	local -a of_index todo some
	needs_the_hosts_pids
	cgroups_mount
	unit=netlog-test-$$.service
	directory=$work/cgroups/$unit
	mkdir "$directory" || fail "no cgroup"
	cgroups_are_ours "$directory"
	cgroup_id=$(stat -c %i "$directory")
	mapfile -t todo < <(filter_options)
	[ ${#todo[@]} -ge 13 ] || fail "only ${#todo[@]} filters: $(filter_options | xargs)"
	wire_up --delay-ms 1 --drop-every 8
	while [ ${#todo[@]} -gt 0 ]; do # so many netlogs at once
		some=("${todo[@]:0:5}") todo=("${todo[@]:5}") of_index=()
		ports 4
		process_made
		for option in "${some[@]}"; do
			asked "$option"
			watch "($known) and ($predicate)" "--$option=$value"
			watch "($known) and (($predicate) | not)" "--not-$option=$value"
			of_index+=("$option" "$option")
		done
		watched_start
		echo go >"$work/go"
		wait $client || fail "no traffic: $(cat "$work/truth.4")"
		ports 6
		"$work/other" --family 6 --client "$ns0" --server "$ns1" "${traffic[@]}" >"$work/truth.6" || fail "no traffic"
		kill -TERM "${pids[@]}"
		wait "${pids[@]}" || fail "a netlog ended with $?"
		lines=$work/watched.${#of_index[@]}
		events=$(head -n 1 "$lines" | jq -r '.events[]')
		ours "$lines" >"$work/all"
		equal "events without a line" "$(comm -23 <(event_types | sort) \
			<(jq -r .event_type "$work/all" | sort -u) | xargs)" ""
		for index in "${!of_index[@]}"; do
			judged "$index" "${of_index[$index]}"
		done
		predicates=() options=()
	done
}

test_every_event_is_sampled() {
	local event
	wire_up --delay-ms 1 --drop-every 8
	netlog_start "${chosen[@]}" --sample="$(event_types | sed 's/$/=1000000/' | paste -sd ,)"
	traffic_both "${traffic[@]}"
	netlog_stop
	check_books
	equal "lines of flows that are left out" "$(ours "$lines" | head -n 3)" ""
	for event in $(event_types); do
		[ "$(figure sampled_out "$event")" -gt 0 ] || fail "$event is not sampled: $(tail -n 1 "$lines")"
	done
	netlog_start "${chosen[@]}" --max-rate="$(event_types | sed 's/$/=1/' | paste -sd ,)"
	traffic_both "${traffic[@]}"
	netlog_stop
	check_books
	for event in $(event_types); do
		[ "$(figure sampled_out "$event")" -gt 0 ] && [ "$(figure emitted "$event")" -gt 0 ] ||
			fail "$event has no rate: $(tail -n 1 "$lines")"
	done
}

test_every_event_is_recorded_and_comes_back_to_the_byte() {
	wire_up --delay-ms 1 --drop-every 8
	netlog_start "${chosen[@]}" --write="$work/recording"
	traffic_both "${traffic[@]}"
	netlog_stop
	check_books
	equal "events without a line" \
		"$(comm -23 <(event_types | sort) <(ours "$lines" | jq -r .event_type | sort -u) | xargs)" ""
	/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "a line is not valid"
	"$netlog" -r "$work/recording" >"$work/replayed" || fail "no replay: $?"
	cmp "$lines" "$work/replayed" >"$work/cmp" 2>&1 || fail "$(cat "$work/cmp")"
}

run_tests
