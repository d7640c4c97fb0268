# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # lib.sh's variables
#
# watch.sh - sourced behind lib.sh: netlogs with filters beside one without any, which see the same traffic.

traffic_of_both() {
	local family
	for family in 4 6; do
		ports $family
		traffic --family $family "$@"
		cp "$truth" "$work/truth.$family"
	done
}

# watch PREDICATE OPTIONS: a netlog with these filters, whose lines must be those with this jq predicate
watch() {
	predicates+=("$1")
	shift
	options+=("$*")
}

# What an event is, without what differs between two programs that see it.
identities() {
	jq -c 'del(.timestamp, .seq, .latency_ns, .device_ns, .transport_ns, .tcp_ns)' | sort
}

watched_start() {
	local i file
	predicates+=(true)
	options+=("")
	pids=()
	rm -f "$work"/watched.*
	for i in "${!options[@]}"; do
		file=$work/watched.$i
		# shellcheck disable=SC2086
		"$netlog" -q ${EVENTS:+"--events=$EVENTS"} --output="file:$file" ${options[$i]} 2>"$file.log" &
		pids+=($!)
	done
	for i in "${!options[@]}"; do
		wait_for 60 started "$work/watched.$i" || fail "${options[$i]}: $(cat "$work/watched.$i.log")"
	done
}

# skipped_in FILE: calls of a program that the kernel did not make, and so lines that others may have
skipped_in() { tail -n 1 "$1" | jq '[.lost[]] | add // 0'; }

# Every line has what is asked for; and of the others' lines that have it, none is missing but for the few
# that the kernel does not run a program for.
watched_stop() {
	local i all=$((${#options[@]} - 1)) what wrong whole seen both
	kill -TERM "${pids[@]}"
	wait "${pids[@]}" || fail "a netlog ended with $?"
	ours "$work/watched.$all" >"$work/all"
	whole=$(count <"$work/all")
	[ "$whole" -gt 100 ] || fail "only $whole events"
	for i in "${!options[@]}"; do
		what="${options[$i]}"
		lines=$work/watched.$i
		check_books
		ours "$lines" >"$work/seen"
		wrong=$(jq -c "select(${predicates[$i]} | not)" "$work/seen" | head -n 3)
		equal "lines of $what that are not wanted" "$wrong" ""
		jq -c "select(${predicates[$i]})" "$work/all" | identities >"$work/wanted"
		identities <"$work/seen" >"$work/told"
		both=$(comm -12 "$work/wanted" "$work/told" | count)
		seen=$(count <"$work/wanted")
		if [ "${empty:-none}" = "$what" ]; then
			equal "lines of $what" "$(count <"$work/told")" 0
			continue
		fi
		at_least "lines of $what" $((both + $(skipped_in "$lines"))) 97 "$seen"
		at_least "lines of $what that others have, too" $((both + $(skipped_in "$work/watched.$all"))) 97 \
			"$(count <"$work/told")"
		[ "$i" = $all ] || [ "$seen" -lt "$whole" ] || [ "$what" = --proto=udp,tcp ] || fail "$what leaves nothing out"
	done
	predicates=() options=()
}

watched() { # TRAFFIC OPTIONS
	watched_start
	traffic_of_both "$@"
	watched_stop
}

predicates=() options=()
