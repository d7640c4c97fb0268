#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Outputs that have filters of their own: what each takes, against the lines of a netlog without filters that
# saw the same traffic; and that nothing is made but what one of them takes, against the generator's account.
. "$(dirname "$0")/lib.sh"

outputs=() predicates=()

# output PREDICATE PARAMETERS: one that takes the lines that this jq predicate is true of
output() {
	predicates+=("$1")
	outputs+=(--output="file:$work/output.${#outputs[@]}$2")
}

# outputs_start OPTIONS: a netlog with these outputs, and one that has all, in $work/whole
outputs_start() {
	pids=()
	"$netlog" -q "${ours[@]}" -o "file:$work/whole" 2>"$work/whole.log" &
	pids+=($!)
	"$netlog" -q "${ours[@]}" "${outputs[@]}" "$@" 2>"$work/netlog.log" &
	pids+=($!)
	wait_for 60 started "$work/whole" || fail "no start: $(cat "$work/whole.log")"
	wait_for 60 started "$work/output.0" || fail "no start: $(cat "$work/netlog.log")"
}

outputs_stop() {
	kill -TERM "${pids[@]}"
	wait "${pids[@]}" || fail "a netlog ended with $?: $(cat "$work/netlog.log")"
	books_of "$work"/output.*
}

books_of() {
	/usr/bin/python3 tests/live/outputs.py "$@" >"$work/books" 2>&1 || fail "the books: $(cat "$work/books")"
}

identities() { jq -c 'del(.timestamp, .seq, .latency_ns, .device_ns, .transport_ns, .tcp_ns)' | sort; }

# Each has what it is to have, and but for the few that the kernel does not run a program for, all of that.
outputs_compare() {
	local i what seen
	ours "$work/whole" >"$work/all"
	[ "$(count <"$work/all")" -gt 100 ] || fail "only $(count <"$work/all") events"
	for i in "${!outputs[@]}"; do
		what=${outputs[$i]##*/}
		ours "$work/output.$i" >"$work/seen"
		equal "lines of $what that are not wanted" \
			"$(jq -c "select(${predicates[$i]} | not)" "$work/seen" | head -n 3)" ""
		jq -c "select(${predicates[$i]})" "$work/all" | identities >"$work/wanted"
		identities <"$work/seen" >"$work/told"
		seen=$(count <"$work/wanted")
		[ "$seen" -lt "$(count <"$work/all")" ] || fail "$what leaves nothing out"
		at_least "lines of $what" "$(comm -12 "$work/wanted" "$work/told" | count)" 97 "$seen"
	done
}

# Filters of each kind, several in one output, lists that go on, and the filters of all besides.
test_each_output_takes_what_its_own_filters_let_through() {
	local inode family
	wire_up --delay-ms 1 --drop-every 9
	inode=$(stat -Lc %i "$ns0")
	for_all='.src_port != 7000 and .dest_port != 7000'
	output "$for_all and .ip_version == 4" ,port=7000-7009
	output "$for_all and .ip_version == 6 and .event_type == \"rtt\"" ,events=rtt,not-port=1,7000-7009
	output "$for_all and .src_ip == \"10.77.0.1\"" ,src-addr=10.77.0.1
	output "$for_all and .ip_version == 6 and .event_type != \"rtt\"" ,addr=fd77::/64,10.128.0.0/9,events=latency,retransmit
	output "$for_all and .netns == $inode and .ifname == \"wire0\"" ",netns=$inode,proto=tcp,ifname=lo,wire0"
	output "$for_all and .comm == \"traffic\" and .event_type == \"latency\"" ,comm=traffic,events=latency
	output "$for_all and .comm != \"traffic\" and .stage != \"transport\"" ,not-comm=traffic
	output false ,not-addr=0.0.0.0/0,::/0
	outputs_start --not-port=7000
	for family in 4 6; do
		ports $family
		traffic --family $family --messages 40 --bytes 100 --reply 100
	done
	nsenter --net="$ns1" sh -c "echo 7000 7000 >/proc/sys/net/ipv4/ip_local_port_range"
	traffic --messages 40
	outputs_stop
	# the last takes nothing, which no traffic can show to be wrong by being missing
	equal "events that no output wants" "$(jq -r 'select(.src_ip) | .seq' "$work/output.7" | count)" 0
	unset "outputs[7]" "predicates[7]"
	outputs_compare
}

# Packets on their way out are counted, not one of which is ever missed; the driver's and the generator's
# counts are the oracle.
test_what_no_output_takes_is_neither_made_nor_counted() {
	local sent
	wire_up
	output true ,port=7000-7009,dest-addr=10.77.0.2
	output true ,events=rtt
	outputs_start --events=latency,rtt --latency-stage=qdisc --proto=udp
	for family in 4 6; do
		ports $family
		datagrams --family $family --messages $((50 * family)) --bytes 100
		[ $family = 6 ] || sent=$(of server messages)
	done
	outputs_stop
	equal "datagrams of IPv4 to the server" "$sent" 200
	jq -s 'last | [.produced.latency, .emitted.latency, .lost.latency, .produced.rtt]' "$work/output.0" |
		jq -c . >"$work/told"
	equal "what was produced, emitted and lost" "$(cat "$work/told")" "[$sent,$sent,0,0]"
	equal "lines" "$(jq -c 'select(.event_type == "latency") | [.dest_ip, .ip_version]' "$work/output.0" | sort |
		uniq -c | xargs)" "$sent [10.77.0.2,4]"
}

# While netlog stands still, the ring holds a dozen records: what was made in vain would fill it.
test_what_no_output_takes_needs_no_room_in_the_ring() {
	wire_up
	output true ,dest-port=7000-7009
	outputs_start --events=latency --latency-stage=qdisc --proto=udp --ring-size=4096
	kill -STOP "${pids[1]}"
	ports 6
	datagrams --family 6 --messages 500 --bytes 100
	ports 4
	datagrams --messages 5 --bytes 100
	kill -CONT "${pids[1]}"
	outputs_stop
	equal "produced and lost" "$(jq -sc 'last | [.produced.latency, .lost.latency]' "$work/output.0")" "[5,0]"
}

# What is sampled away is of what the filters let through.
test_sampling_is_of_what_some_output_takes() {
	wire_up
	output true ,dest-port=7000-7009
	outputs_start --events=latency --latency-stage=qdisc --proto=udp --max-rate=latency=1
	for family in 4 6; do
		ports $family
		datagrams --family $family --messages 100 --bytes 100
	done
	outputs_stop
	equal "produced and sampled out" "$(jq -s 'last | .produced.latency + .sampled_out.latency' "$work/output.0")" 100
}

connected() { [ "$(nsenter --net="$ns0" ss -Htn state established | count)" -ge "$1" ]; }

reloaded() { [ "$(cat "$@" | grep -c '"event_type":"reload"')" -ge "$changes" ]; }

# Both connections go on all the time. One output has the one connection, and then the other, by another
# name and with the bit that the first has had; a third changes its filter; a fourth has all.
test_a_reload_gives_no_output_what_another_ones_filter_let_through() {
	local family connections=0 four="$work/four" six="$work/six" both="$work/both" all="$work/all-events"
	wire_up
	for family in 4 6; do
		ports $family
		build/traffic --client "$ns0" --server "$ns1" --family $family --messages 1000000 --gap-ms 0 \
			>/dev/null 2>&1 &
		connections=$((connections + 1))
		wait_for 10 connected $connections || fail "no connection" # its ports are chosen then
	done
	configure() { # the one that comes and goes, and the filter that changes
		echo "{ \"events\": \"latency\", \"latency-stage\": [\"app\", \"qdisc\"], \"netns\": [$netns],
			\"output\": [\"file:$1\", \"file:$both,$2\", \"file:$all\"] }" >"$work/conf.new"
		mv "$work/conf.new" "$work/conf"
	}
	netns=$(printf '"%s", "%s"' "$(stat -Lc %i "$ns0")" "$(stat -Lc %i "$ns1")")
	configure "$four,port=7000-7009" port=7000-7009
	"$netlog" --config="$work/conf" --ring-size=4194304 2>"$work/netlog.log" &
	netlog_pid=$!
	wait_for 60 started "$all" || fail "no start: $(cat "$work/netlog.log")"
	for changes in {1..12}; do
		case $((changes % 3)) in
		0) configure "$four,port=7000-7009" port=7000-7009 ;;
		1) configure "$six,port=8000-8009" port=7000-7009,8000-8009 ;;
		2) configure "$four,dest-port=7000-7009" not-port=8000-8009 ;;
		esac
		kill -HUP "$netlog_pid"
		wait_for 10 reloaded "$all" || fail "no reload: $(cat "$work/netlog.log")"
	done
	kill -TERM "$netlog_pid"
	wait "$netlog_pid" || fail "netlog ended with $?: $(cat "$work/netlog.log")"
	books_of "$all" "$both" # of the others, those that went have taken their figures along
	for file in "$four" "$six"; do
		jq .seq "$file" | sort -nuC || fail "$file: a line comes twice, or too late"
	done
	for family in 4 6; do
		[ "$(jq "select(.ip_version == $family) | .seq" "$all" | count)" -gt 200 ] || fail "hardly any traffic"
	done
	equal "of the others in one" "$(jq -c 'select(.ip_version == 6)' "$four" | head -n 2)" ""
	equal "of the others in the other" "$(jq -c 'select(.ip_version == 4)' "$six" | head -n 2)" ""
	# IPv4 is in the third all the time: but for none at all
	equal "lines of IPv4 that are missing" "$(comm -3 <(jq 'select(.ip_version == 4) | .seq' "$all" | sort) \
		<(jq 'select(.ip_version == 4) | .seq' "$both" | sort) | head -n 3)" ""
	[ "$(jq 'select(.ip_version == 6) | .seq' "$both" | count)" -gt 20 ] || fail "no IPv6 in the third"
	[ "$(jq 'select(.ip_version == 6) | .seq' "$both" | count)" -lt \
		"$(jq 'select(.ip_version == 6) | .seq' "$all" | count)" ] || fail "all IPv6 in the third"
}

# In a recording, too; its records say nothing of who else took them.
test_a_recording_has_its_own_filters_and_its_replay_is_the_output_beside_it() {
	wire_up
	ports 4
	output true ,port=9000-9009,events=rtt
	outputs_start -w "$work/r,port=9000-9009,events=rtt"
	traffic --messages 50
	outputs_stop
	$netlog -r "$work/r" >"$work/replayed" || fail "status $?"
	cmp "$work/replayed" "$work/output.0" || fail "not the same"
	[ "$(grep -c '"event_type":"rtt"' "$work/replayed")" -gt 20 ] || fail "hardly a line"
	# what a filter leaves out does not count
	port=$(jq -r 'select(.src_ip) | .src_port' "$work/replayed" | tail -n 1)
	$netlog -q -r "$work/r" --src-port="$port" -n 3 >"$work/three" || fail "status $?"
	equal "three lines of port $port" "$(jq -c "select(.src_port == $port)" "$work/three")" \
		"$(jq -c "select(.src_port == $port)" "$work/replayed" | head -n 3)"
}

test_the_start_and_the_reload_line_tell_the_outputs_filters() {
	echo '{ "output": ["stdout,port=443,not-comm=a", "file:/dev/null"], "port": "443,80" }' >"$work/conf"
	status_of $netlog -d 0.1 --include-ssh --config="$work/conf" >"$work/lines"
	equal "exit status ($message)" "$status" 0
	equal "filters" "$(head -n 1 "$work/lines" | jq -c .filters)" \
		'{"port":["443,80"],"output":["stdout,port=443,not-comm=a"]}'
	/usr/bin/python3 tests/live/validate.py $netlog "$work/lines" || fail "not valid"
}

test_a_filter_of_an_output_that_cannot_be_is_refused() {
	refused 2 "--output: 'port=70000': '70000' is no port; give numbers from 1 to 65535" $netlog -o stdout,port=70000
	refused 2 "there is no such parameter; did you mean not-port?" $netlog -o stdout,not-prt=22
	echo '{
		"output": ["stdout",
			"file:/x,addr=10.0.0.1/8"] }' >"$work/conf"
	refused 78 "conf:3: \"output\": 'addr=10.0.0.1/8': '10.0.0.1/8' has bits set beyond" $netlog --config="$work/conf"
}

run_tests
