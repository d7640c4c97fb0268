#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Whose socket is it? Against the processes' own account (owners.c): each line names the true owner, or
# nobody.
. "$(dirname "$0")/lib.sh"

# owners SCENE OPTIONS: the processes' account is $truth
owners() {
	needs_the_hosts_pids
	truth=$work/truth
	timeout 120 build/owners "$@" --client "$ns0" --server "$ns1" >"$truth" || fail "owners $* failed"
}

# check_owners [LEAST]
check_owners() {
	check_books
	/usr/bin/python3 tests/live/owners.py "$lines" "$truth" "$@" >"$work/owners" ||
		fail "$(cat "$work/owners")"
}

test_lines_name_the_process_not_its_threads() {
	wire_up --delay-ms 1 --drop-every 10
	netlog_start
	owners plain
	netlog_stop
	check_owners
	for type in retransmit rtt latency; do
		for comm in o-server o-client; do
			[ "$(jq "select(.event_type == \"$type\" and .comm == \"$comm\") | .pid" "$lines" | count)" -gt 0 ] ||
				fail "no $type line of $comm"
		done
	done
}

test_a_child_that_serves_is_the_owner_once_it_has_read() {
	wire_up --delay-ms 1 --drop-every 10
	netlog_start
	owners fork
	netlog_stop
	check_owners
	# until then it was the listener's, of which the kernel's memory of the handshake tells
	jq -es 'any(.[]; .comm == "o-listener")' "$lines" >/dev/null || fail "no line of the listener"
}

test_a_socket_passed_to_another_process_is_that_process_s_once_it_is_used() {
	wire_up --delay-ms 1 --drop-every 10
	netlog_start
	owners pass
	netlog_stop
	check_owners
}

test_a_socket_older_than_netlog_has_an_owner_if_one_process_holds_it() {
	needs_the_hosts_pids
	wire_up --delay-ms 1
	truth=$work/truth
	build/owners before --client "$ns0" --server "$ns1" >"$truth" 2>"$work/ready" &
	owners_pid=$!
	wait_for 10 grep -qs ready "$work/ready" || fail "owners: $(cat "$work/ready")"
	netlog_start
	kill -USR1 $owners_pid
	wait $owners_pid || fail "owners: $(cat "$work/ready")"
	netlog_stop
	check_owners
}

# The call that sends it has not ended by then.
test_the_first_datagram_of_a_socket_has_its_owner() {
	needs_the_hosts_pids
	wire_up
	netlog_start --events=latency --latency-stage=qdisc --proto=udp,136,200
	nsenter --net="$ns0" timeout 60 /usr/bin/python3 tests/live/first.py 10 >"$work/first" || fail "not sent"
	pid=$(jq .pid "$work/first") lite=
	[ "$(jq .ways "$work/first")" = 4 ] || lite="10 [136,$pid,first] "
	netlog_stop
	check_books
	equal "owners of datagrams" "$(jq -c 'select(.src_ip == "10.77.0.1") | [.proto_number, .pid, .comm]' "$lines" |
		sort | uniq -c | xargs)" "${lite}10 [200,$pid,first] 40 [null,$pid,first]"
}

test_a_pid_used_again_is_not_the_owner_of_the_first_one_s_socket() {
	wire_up --delay-ms 1
	netlog_start
	owners reuse
	netlog_stop
	check_owners
	equal "pids of the two" "$(jq -r 'select(.comm == "o-first" or .comm == "o-second") | .pid' "$truth" |
		sort -u | count)" 1
}

# The addresses are the same on every wire, and so are the ports here.
test_hosts_that_share_addresses_and_ports_keep_their_owners() {
	wire_up --delay-ms 1 --drop-every 10
	first_wire=$wire_pid
	first_ns0=$ns0 first_ns1=$ns1 first_ours=("${ours[@]}")
	wire_up --delay-ms 1 --drop-every 10
	ours+=("${first_ours[@]}")
	netlog_start
	timeout 60 build/owners plain --client "$first_ns0" --server "$first_ns1" --port 7700 >"$work/truth.first" &
	first_pid=$!
	owners plain --port 7700
	wait $first_pid || fail "owners failed"
	netlog_stop
	kill "$first_wire"
	wait "$first_wire"
	cat "$work/truth.first" >>"$truth"
	check_owners
	equal "pairs of addresses and ports" "$(jq -r 'select(.pid and .dest_port == 7700) |
		[.src_ip, .src_port, .dest_ip, .dest_port] | join(" ")' "$lines" | sort -u)" \
		"10.77.0.1 7701 10.77.0.2 7700"
	equal "owners" "$(jq -r 'select(.pid and (.src_port == 7700 or .dest_port == 7700)) | .pid' "$lines" |
		sort -u | count)" 4
}

# A softirq interrupts whatever process is running, and that process must not be named as the owner.
test_none_of_10000_lines_names_a_bystander_on_a_busy_host() {
	wire_up --delay-ms 1 --drop-every 20
	# one for each CPU, with the lowest priority: no CPU idles, and the others are not held up
	for _ in $(seq "$(nproc)"); do
		(exec -a o-burner nice -n 19 bash -c 'while :; do :; done') &
	done
	netlog_start
	owners plain --messages 3000 --gap-us 0
	netlog_stop
	check_owners 10000
}

# Two processes are in a cgroup that is called as a container's, and two are not. It is made when netlog already
# runs, and its lines have its name nevertheless, even those after its end. But the first ones may lack it, as a thread
# looks; on a host with cgroups of version 1 it asks the process, which may have ended by then: so there are several.
test_a_cgroup_is_told_with_its_path_unit_and_container() {
	cgroups_mount
	container=$(printf 'ab%.0s' $(seq 32))
	cgroup=$work/cgroups/netlog-test-$$.slice
	wire_up --delay-ms 1 --drop-every 10
	netlog_start
	mkdir "$cgroup" "$cgroup/docker-$container.scope" || fail "no cgroup"
	id=$(stat -c %i "$cgroup/docker-$container.scope")
	truth=$work/truth
	: >"$truth"
	for _ in {1..10}; do
		timeout 60 sh -c "echo \$\$ >'$cgroup/docker-$container.scope/cgroup.procs' &&
			exec build/owners plain --client '$ns0' --server '$ns1'" >>"$truth"
		status=$?
		! grep -q "\"container_id\":\"$container\"" "$lines" || break
	done
	rmdir "$cgroup/docker-$container.scope" "$cgroup"
	[ $status = 0 ] || fail "owners failed"
	cp "$truth" "$work/truth.container"
	owners plain
	netlog_stop
	cat "$work/truth.container" >>"$truth"
	check_owners
	equal "names of the container's cgroup" \
		"$(jq -nc --arg id "$id" '[inputs | select(.cgroup_id == $id)] | group_by(.pid) | .[] |
			(map(has("cgroup") and has("unit")) | index(true)) as $first | select($first) |
			.[$first:][] | [.cgroup, .unit, .container_id]' \
			"$lines" | sort -u)" \
		"[\"/netlog-test-$$.slice/docker-$container.scope\",\"docker-$container.scope\",\"$container\"]"
	equal "cgroups of its processes" "$(jq -r --slurpfile truth "$work/truth.container" \
		'select(.pid as $pid | any($truth[]; .pid == $pid)) | .cgroup_id' "$lines" | sort -u)" "$id"
	equal "containers of the others" \
		"$(jq "select(.cgroup_id != \"$id\" and .container_id)" "$lines" | count)" 0
}

test_a_network_namespace_is_told_by_its_name() {
	run_mount
	wire_up --delay-ms 1
	name=/run/netns/netlog-test-$$ # as ip-netns(8) makes it
	netlog_start --events=rtt
	mkdir -p /run/netns && : >"$name" && mount --bind "$ns0" "$name" || fail "no name"
	number=$(stat -Lc %i "$ns0")
	owners plain --messages 1000 --gap-us 1000
	netlog_stop
	at_least "lines with the name" \
		"$(jq "select(.netns == $number and .netns_name == \"${name##*/}\")" "$lines" | count)" 30 \
		"$(jq "select(.netns == $number)" "$lines" | count)"
	equal "others with a name" "$(jq "select(.netns != $number and .netns_name)" "$lines" | count)" 0
}

# The kernel gives the number of a namespace that has gone to the next one: its lines have that one's name, from the first
test_the_name_of_another_network_namespace_with_the_same_number_is_not_told() {
	run_mount
	wire_up --delay-ms 1
	mkdir /run/netns
	netlog_start --events=latency --latency-stage=app
	for name in blue red; do
		: >/run/netns/$name && mount --bind "$ns0" /run/netns/$name || fail "no name"
		traffic --messages 10
		told() { [ "$(events latency client | count)" -ge 10 ]; }
		wait_for 20 told || fail "no lines"
		equal "names" "$(events latency client .netns_name | sort | uniq -c | xargs)" "10 $name"
		umount /run/netns/$name && rm /run/netns/$name
	done
	netlog_stop
}

run_tests
