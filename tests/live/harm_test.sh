#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# No program can hurt the kernel: each pointer is compared with NULL before it is followed, and no load faults,
# even if the socket, device or namespace of a packet is gone by then. A kernel that cannot mend a faulting load
# is given none that might fault. Such kernels are in VMs (tests/vm/harm.sh); here refuse.so plays one.
. "$(dirname "$0")/lib.sh"

# play_old_kernel ASKED: from here on, netlog takes this kernel for one that may lack the fix. It asks it; with
# `refused`, that is refused.
play_old_kernel() {
	export NETLOG_RELEASE=5.10.0-32-amd64 LD_PRELOAD=$PWD/build/refuse.so
	[ "$1" != refused ] || export NETLOG_REFUSE=look
}

# The verifier has refused no program. (A policy may have, or this kernel lacks the hook.)
hooks_are_taken() {
	equal "hooks that are refused" "$(head -n 1 "$lines" | jq -c '.hooks[] | select(has("error")) | select(.error |
		test("^Operation not permitted|^not in this kernel|^the kernel has no kprobes") | not)')" ""
}

# All programs, filters included, as there may be some later
start_all() {
	echo '{}' >"$work/conf"
	netlog_start --config="$work/conf"
	hooks_are_taken
}

# judged QUESTION: of the programs at work
judged() {
	env -u LD_PRELOAD build/loads "$netlog_pid" >"$work/loads" || fail "no programs are to be seen"
	# one line more, and a hook of each that is at work, but for what is over when netlog has begun
	[ "$(count <"$work/loads")" -gt "$(head -n 1 "$lines" | jq '[.hooks[] | select(has("error") | not)] | length')" ] ||
		fail "$(($(count <"$work/loads") - 1)) programs, and these hooks: $(head -n 1 "$lines" | jq -c .hooks)"
	equal "what is wrong ($1)" "$(/usr/bin/python3 tests/live/loads.py "$work/loads" "$1" | head -n 5)" ""
}

test_no_pointer_is_followed_or_handed_over_unasked() {
	start_all
	judged asked
	netlog_stop
	netlog_start
	hooks_are_taken
	judged asked
	netlog_stop
}

# judged_code NAME FUNCTIONS TABLE QUESTION CODE...: prints the judge's complaints about these instructions
judged_code() {
	local name=$1 functions=$2 table=$3 question=$4
	shift 4
	printf 'following 7:1\n1 %s %s 1 %s %s\n' "$name" "$functions" "$table" "$(printf %s "$@")" >"$work/code"
	/usr/bin/python3 tests/live/loads.py "$work/code" "$question"
}

# The judge itself, given code with the mistakes that it has to find.
test_what_is_followed_unasked_is_found() {
	# r1 = *(u64 *)(r1 + 0), an argument; r2 = *(u64 *)(r1 + 8); r0 = *(u64 *)(r2 + 0), a mended load; exit
	local argument=7911000000000000 load=7912080000000000 follow=3920000000000000 end=9500000000000000
	# if r2 == 0 goto the second, third next; r2 += 8; call a helper that follows r1; call the function that is
	# the second next (its number is 1); r1 = r2
	local ask=1502010000000000 ask_far=1502020000000000 add=0702000008000000 help=8500000007000000
	local function=8510010001000000 move=bf21000000000000
	# in the function, r1 is the caller's r1: r0 = *(u64 *)(r1 + 0)
	local follow_handed=3910000000000000
	equal "asked" "$(judged_code asked 0 1 asked $argument $load $ask $follow $end)" ""
	equal "bare" "$(judged_code bare 0 1 asked $argument $load $follow $end)" \
		"bare: instruction 2 follows what instruction 1 loaded, unasked"
	equal "asked too late" "$(judged_code late 0 1 asked $argument $load $add $ask $follow $end)" \
		"late: instruction 4 follows what instruction 1 loaded, unasked"
	equal "handed over" "$(judged_code help 0 0 asked $argument $load $move $help $end | tail -n 1)" \
		"help: instruction 3 hands over what instruction 1 loaded, unasked"
	equal "in a function" "$(judged_code function 2 1 asked $argument $load $move $function $end $follow_handed $end)" \
		"function: instruction 5 follows what instruction 1 loaded, unasked"
	equal "asked for before the call" \
		"$(judged_code function 2 1 asked $argument $load $ask_far $move $function $end $follow_handed $end)" ""
	equal "without a table" "$(judged_code tableless 2 0 mended $argument $load $ask $follow $end)" \
		"tableless: 1 loads that cannot be mended, 2 functions"
	equal "through an argument" "$(judged_code typed 2 1 none $argument $load $end | tail -n 1)" \
		"typed: arguments are followed at [1], 2 functions"
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
	grep -q '^ok *faulting loads: the kernel recovers from them$' "$work/doctor" || fail "$(head "$work/doctor")"
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

# The lines have the same segments, owners, cookies and stages as with loads.
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

# Without loads, owners are kept by their sockets' addresses, and those are used again soon.
test_without_loads_nobody_is_named_for_another_s_socket() {
	local scene
	play_old_kernel refused
	for scene in plain fork pass; do
		wire_up --delay-ms 1 --drop-every 10
		netlog_start
	hooks_are_taken
		timeout 120 build/owners $scene --client "$ns0" --server "$ns1" >"$work/owners.truth" || fail "owners $scene"
		netlog_stop
		/usr/bin/python3 tests/live/owners.py "$lines" "$work/owners.truth" >"$work/owners" ||
			fail "$scene: $(cat "$work/owners")"
		wire_down
	done
}

test_without_loads_a_socket_older_than_netlog_has_its_owner() {
	local owners
	play_old_kernel refused
	wire_up --delay-ms 1
	build/owners before --client "$ns0" --server "$ns1" >"$work/owners.truth" 2>"$work/ready" &
	owners=$!
	wait_for 10 grep -qs ready "$work/ready" || fail "owners: $(cat "$work/ready")"
	netlog_start
	kill -USR1 $owners
	wait $owners || fail "owners: $(cat "$work/ready")"
	netlog_stop
	# one that is accepted and never read has no owner then: that is the listener's only where sockets remember
	jq -c 'select((.comm == "o-server" and .least > 1) | not)' "$work/owners.truth" >"$work/owners.known"
	/usr/bin/python3 tests/live/owners.py "$lines" "$work/owners.known" >"$work/owners" || fail "$(cat "$work/owners")"
}

has_last_message() { [ "$(events latency server 'select(.stage == "app")' | count)" -ge 20 ]; }

# churned KIND [CGROUP]: 20 times; netlog's lines of it are in $lines
churned() {
	build/churn --client "$ns0" --server "$ns1" --kind "$1" --count 20 ${2:+--cgroup "$2"} >"$work/churn" ||
		fail "$1: $(cat "$work/churn")"
	equal "$1" "$(jq .\""$1"\" "$work/churn")" 20
}

# A directory of cgroup v2, which on hybrid hosts is not the one at /sys/fs/cgroup
cgroup_root() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }

# Sockets, cgroups, devices and namespaces end while packets of theirs are under way: no load of a program faults,
# and a line has a true value or none. This is for stale pointers. The tests above are for NULL, whose load does
# not even fault on x86 from 5.14 on: the kernel's JIT checks the address in front of each load.
test_what_is_gone_makes_no_load_fault() {
	local kind faults cgroup
	[ "$(uname -m)" = x86_64 ] || skip "page faults are counted on x86 only"
	build/faults --check >"$work/check" || fail "page faults cannot be counted"
	equal "a fault that is made" "$(tail -n 1 "$work/check")" "total 1"
	wire_up --delay-ms 1 --drop-every 10
	# shellcheck disable=SC2034 # read in lib.sh
	ours=() # `vanished` makes namespaces whose numbers nobody knows beforehand
	netlog_start
	hooks_are_taken
	build/faults "$netlog_pid" >"$work/faults" &
	faults=$!
	wait_for 10 grep -qs ready "$work/faults"
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

# Lines of sockets without a file, of the kernel's own, and of those in a cgroup that is gone
gone_told() {
	namespaces="[$(stat -Lc %i "$ns0"), $(stat -Lc %i "$ns1")]"
	jq -c --argjson ours "$namespaces" 'select(.netns as $n | $ours | index($n))' "$lines" >"$work/ours"
	of_ours() { jq -r "select($1) | $2" "$work/ours" | sort -u | xargs; }
	# the server closes at once: its remaining packets have the right owner
	[ "$(jq 'select(.stage == "qdisc" and .src_port == 7101 and .len_bytes > 0)' "$work/ours" |
		count)" -ge 20 ] || fail "no packets of a closed socket"
	equal "owners" "$(of_ours '.comm != null' .comm)" churn
	equal "owner of a RST from a closed port"  \
		"$(of_ours '.src_port == 7199' '[.pid, .comm] | tostring')" "[null,null]"
	equal "owner of an echo reply" "$(of_ours '.proto == "icmp" and .src_ip == "10.77.0.2" and .stage == "qdisc"' \
		'[.pid, .comm] | tostring')" "[null,null]"
	# a cgroup that is gone has its number, and no name
	[ "$(jq -c 'select(.event_type == "rtt" and .dest_port == 7101 and .cgroup_id != null and .cgroup == null)' \
		"$work/ours" | count)" -ge 1 ] || fail "no line of a cgroup that is gone"
	# a device that is gone has its name, and a namespace its number
	[ "$(jq -r 'select(.ifname == "gone0" and .netns != null) | .netns' "$lines" | count)" -ge 10 ] ||
		fail "no lines of devices that are gone"
}

run_tests
