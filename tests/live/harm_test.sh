#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# That no program can hurt the kernel: no pointer is followed unasked, no load faults, whatever has gone under
# a packet's way; and that a kernel that could not mend a fault is given no load that might. The kernels that
# can't are in VMs (tests/vm/harm.sh); here one is played by refuse.so.
. "$(dirname "$0")/lib.sh"

# play_old_kernel ASKED: from here on, netlog takes this kernel for one that may lack the fix. It asks it; with
# `refused`, that is refused.
play_old_kernel() {
	export NETLOG_RELEASE=5.10.0-32-amd64 LD_PRELOAD=$PWD/build/refuse.so
	[ "$1" != refused ] || export NETLOG_REFUSE=look
}

# All programs, filters included, as there may be some later
start_all() {
	echo '{}' >"$work/conf"
	netlog_start --config="$work/conf"
}

# judged QUESTION: of the programs at work
judged() {
	env -u LD_PRELOAD build/loads "$netlog_pid" >"$work/loads" || fail "no programs are to be seen"
	[ "$(count <"$work/loads")" -gt 10 ] || fail "few programs: $(count <"$work/loads")"
	equal "what is wrong ($1)" "$(/usr/bin/python3 tests/live/loads.py "$work/loads" "$1" | head -n 5)" ""
}

test_no_pointer_is_followed_or_handed_over_unasked() {
	start_all
	judged asked
	netlog_stop
	netlog_start
	judged asked
	netlog_stop
}

# The judge itself: with what it has to find.
test_what_is_followed_unasked_is_found() {
	# r1 = *(u64 *)(r1 + 0), an argument; r2 = *(u64 *)(r1 + 8); r0 = *(u64 *)(r2 + 0): a mended load; exit
	local argument=7911000000000000 load=7912080000000000 follow=3920000000000000 end=9500000000000000
	# if r2 == 0 goto the end
	local ask=1502010000000000
	printf 'following\n1 bare 0 1 1 %s\n' $argument$load$follow$end >"$work/bare"
	printf 'following\n1 asked 0 1 1 %s\n' $argument$load$ask$follow$end >"$work/asked"
	printf 'following\n1 bare 2 1 0 %s\n' $argument$load$ask$follow$end >"$work/tableless"
	equal "asked" "$(/usr/bin/python3 tests/live/loads.py "$work/asked" asked)" ""
	equal "bare" "$(/usr/bin/python3 tests/live/loads.py "$work/bare" asked)" \
		"bare: instruction 2 follows what instruction 1 loaded, unasked"
	equal "without a table" "$(/usr/bin/python3 tests/live/loads.py "$work/tableless" mended)" \
		"bare: 1 loads that cannot be mended, 2 functions"
}

test_a_kernel_that_may_not_mend_is_asked() {
	play_old_kernel asked
	start_all
	# this kernel is newer than it says, and does
	equal "caution" "$(head -n 1 "$lines" | jq -r '.caution // ""')" ""
	judged mended
	[ "$(awk 'NR > 1 { n += $4 } END { print n }' "$work/loads")" -gt 20 ] || fail "no loads are mended"
	netlog_stop
	$netlog --doctor >"$work/doctor"
	grep -q '^ok *faulting loads: the kernel mends them$' "$work/doctor" || fail "$(head "$work/doctor")"
}

test_one_that_cannot_be_asked_is_given_no_load_that_might_fault() {
	play_old_kernel refused
	start_all
	head -n 1 "$lines" | jq -e '.caution | test("0108a4e9f358.*could not be asked")' >/dev/null ||
		fail "no caution: $(head -n 1 "$lines")"
	judged none
	judged asked
	netlog_stop
	$netlog --doctor >"$work/doctor"
	grep -q '^unsafe *faulting loads: .*0108a4e9f358' "$work/doctor" || fail "$(head "$work/doctor")"
}

# Everything is told as by loads: segments, owners, cookies, stages.
test_without_loads_the_lines_are_as_true() {
	local role
	play_old_kernel refused
	wire_up --delay-ms 1 --drop-every 10
	start_all
	traffic --messages 20 --bytes 3000 --reply 3000 --cookie
	wait_for 10 has_last_message || fail "no line of the last message"
	netlog_stop
	check_books
	for role in client server; do
		told "$role: segs" "$(events retransmit $role .segs | sum)" "$(of $role total_retrans)"
		equal "cookies of the $role" "$(events rtt $role .sock_cookie | sort -u)" "\"$(of $role sock_cookie)\""
		[ "$(events latency $role 'select(.stage == "app")' | count)" -ge 20 ] || fail "$role: few messages"
		[ "$(events latency $role 'select(.stage == "qdisc" and .comm != null)' | count)" -ge 10 ] ||
			fail "$role: nobody sends"
	done
}

has_last_message() { [ "$(events latency server 'select(.stage == "app")' | count)" -ge 20 ]; }

# churned KIND: so often, what is told of it is in $lines
churned() {
	build/churn --client "$ns0" --server "$ns1" --kind "$1" --count 20 ${2:+--cgroup "$2"} >"$work/churn" ||
		fail "$1: $(cat "$work/churn")"
	equal "$1" "$(jq .\""$1"\" "$work/churn")" 20
}

# A directory of cgroup v2, which on hybrid hosts is not the one at /sys/fs/cgroup
cgroup_root() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }

# Of all that ends while packets of its are under way, no load of a program's faults; and the lines say what is
# known, or nothing.
test_what_is_gone_makes_no_load_fault() {
	local kind faults cgroup
	build/faults --check >"$work/check" || fail "page faults cannot be counted"
	equal "a fault that is made" "$(tail -n 1 "$work/check")" "total 1"
	wire_up --delay-ms 1 --drop-every 10
	netlog_start
	build/faults "$netlog_pid" >"$work/faults" &
	faults=$!
	wait_for 10 grep -q ready "$work/faults"
	for kind in closed reset unread idle mptcp refused echo vanished; do
		churned $kind
	done
	cgroup=$(cgroup_root)/netlog-churn-$$
	mkdir "$cgroup" || fail "no cgroup"
	echo $BASHPID >"$cgroup/cgroup.procs"
	churned cgroup "$cgroup"
	echo $BASHPID >"${cgroup%/*}/cgroup.procs"
	wait_for 10 rmdir "$cgroup" 2>/dev/null || fail "the cgroup stays"
	kill $faults
	wait $faults
	netlog_stop
	equal "page faults in programs" "$(grep -v ready "$work/faults")" "total 0"
	check_books
	gone_told
}

# A socket without a file, one of the kernel's, a request's, one of a cgroup that is gone
gone_told() {
	namespaces="[$(stat -Lc %i "$ns0"), $(stat -Lc %i "$ns1")]"
	jq -c --argjson ours "$namespaces" 'select(.netns as $n | $ours | index($n))' "$lines" >"$work/ours"
	of_ours() { jq -r "select($1) | $2" "$work/ours" | sort -u | xargs; }
	# the server closes at once: whose the rest is that it sends is not known, or right
	[ "$(jq 'select(.stage == "qdisc" and .src_port == 7101 and .len_bytes > 0 and .pid == null)' "$work/ours" |
		count)" -ge 20 ] || fail "no packets of a closed socket"
	equal "owners" "$(of_ours '.comm != null' .comm)" churn
	equal "owner of a RST from a closed port"  \
		"$(of_ours '.src_port == 7199' '[.pid, .comm] | tostring')" "[null,null]"
	equal "owner of an echo reply" "$(of_ours '.proto == "icmp" and .src_ip == "10.77.0.2" and .stage == "qdisc"' \
		'[.pid, .comm] | tostring')" "[null,null]"
	# of a cgroup that is gone there is the number, and no name
	[ "$(jq -c 'select(.event_type == "rtt" and .dest_port == 7101 and .cgroup_id != null and .cgroup == null)' \
		"$work/ours" | count)" -ge 1 ] || fail "no line of a cgroup that is gone"
	# and of a device and a namespace, what they were
	[ "$(jq -r 'select(.ifname == "gone0" and .netns != null) | .netns' "$lines" | count)" -ge 10 ] ||
		fail "no lines of devices that are gone"
}

run_tests
