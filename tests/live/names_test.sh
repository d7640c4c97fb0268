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
	mkdir "$tree" && (cd "$tree" && seq "$many" | xargs mkdir) || fail "no cgroups"
}

tree_removed() {
	[ ! -d "$tree" ] || find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null
}

at_exit_of_names_test() {
	at_exit_of_test # which has ended what ran in there, and unmounted it
	mount -t cgroup2 cgroup2 "$work/cgroups"
	wait_for 10 tree_removed || echo "# the cgroup $tree is left"
	umount "$work/cgroups"
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
	export NETLOG_READS=$work/reads NETLOG_HOLDS=$work/hold
	LD_PRELOAD=$PWD/build/reads.so netlog_start -e latency --latency-stage=app
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

run_tests
