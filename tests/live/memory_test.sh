#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Each allocation fails once (oom.so.c): what comes of it is said, and is no crash, nor a document that is cut.
. "$(dirname "$0")/lib.sh"

# A sanitizer has its own allocations, which cannot be made to fail so.
[ "${SANITIZE:-}" != 1 ] || exit 0

as=() # who begins the command
words=same # of the report, about its stdout

# each_allocation LEAST STATUS COMMAND...: it has at least so many allocations. Where one of them fails, it ends with 1
# (74: lines were lost) and a message, or as it does without that: with STATUS, and with what it writes then on stdout.
each_allocation() {
	local least=$1 wanted=$2
	shift 2
	"${as[@]}" "$@" >"$work/whole" 2>"$work/message"
	status=$?
	equal "exit status of $* ($(cat "$work/message"))" $status "$wanted"
	"${as[@]}" env NETLOG_OOM=9 NETLOG_OOM_WHOLE="$work/whole" LD_PRELOAD=build/oom.so "$@" \
		9>"$work/report" >"$work/out" 2>>"$work/message"
	equal "exit status of $*, after all" $? "$wanted"
	cmp "$work/out" "$work/whole" || fail "$* has written something else, after all"
	[ "$(count <"$work/report")" -ge "$least" ] || fail "only $(count <"$work/report") allocations: no test"
	# the doctor speaks on stdout
	awk -v wanted="$wanted" -v words="$words" '
		$2 == wanted && index(words, $3) && (wanted == 0 || wanted == 69 || $4 == "said") { next }
		$2 != 1 && $2 != 74 || $4 != "said"' "$work/report" >"$work/wrong"
	[ ! -s "$work/wrong" ] || fail "$*: allocation, status, stdout, stderr: $(head -n 5 "$work/wrong" | paste -sd ,)"
}

configure() {
	echo "{
		\"output\": [\"file:$work/named-at-length-so-that-json-c-makes-room,events=rtt,port=80\", \"stdout\"],
		\"port\": [\"80\", \"443\"], \"unit\": [\"ssh\"], \"comm\": \"x\", \"max-rate\": \"rtt=5\", \"rtt-interval\": 10
	}" >"$work/conf"
}

test_a_schema_is_whole_or_refused() {
	each_allocation 1000 0 $netlog --schema
	each_allocation 1000 0 $netlog --schema=ecs
}

test_a_configuration_is_read_whole_or_refused() {
	configure
	each_allocation 100 0 $netlog -c "$work/conf" --print-config
	each_allocation 100 0 $netlog -c "$work/conf" --check-config
	each_allocation 10 2 $netlog --check-config -e rxx
	echo '{ "comm": "y", "rtt-interval": "x" }' >"$work/conf"
	each_allocation 10 78 $netlog -c "$work/conf" --print-config
}

# Up to where libbpf comes in, which has many thousand allocations
test_a_start_that_is_refused_says_so() {
	configure
	chmod 777 "$work"
	as=(setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs)
	each_allocation 100 77 $netlog -c "$work/conf" -w "$work/r"
}

test_the_doctor_comes_to_an_end_or_says_nothing() {
	local form
	needs_mounts
	# shellcheck disable=SC2016 # the inner shell's
	words="same alike" # that memory was short may be among the findings
	as=(unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh)
	for form in --doctor --doctor=json; do
		each_allocation 50 69 $netlog $form
	done
}

# Lines that are written otherwise, too, or none.
test_a_replay_has_whole_lines() {
	wire_up
	lines=$work/lines
	$netlog -q "${ours[@]}" -o "file:$lines" -w "$work/r" --events=rtt --count=5 &
	pid=$!
	wait_for 30 started "$lines" || fail "no start"
	traffic --messages 10
	wait $pid || fail "status $?"
	each_allocation 100 0 $netlog -q -r "$work/r" -o stdout,format=ecs
	each_allocation 100 0 $netlog -q -r "$work/r" -o stdout
}

test_a_reload_is_whole_or_refused() {
	tests/live/reloads.py $netlog "$work" >"$work/report" 2>&1
	[ "$(cat "$work/report")" -gt 100 ] 2>/dev/null || fail "$(head -n 5 "$work/report")"
}

run_tests
