#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Filters: the lines that pass, against the addresses and ports of the traffic, and against the lines of a
# netlog without filters that saw the same traffic.
. "$(dirname "$0")/lib.sh"
. tests/live/watch.sh

v4='.ip_version == 4'
v6='.ip_version == 6'

test_an_address_is_of_either_end_the_source_or_the_destination() {
	wire_up --delay-ms 1 --drop-every 9
	watch "$v4" --addr=10.77.0.1
	watch "$v6" --not-addr=10.77.0.0/24
	watch "$v6" --addr=fd77::/16
	watch "$v4" --not-addr=fd77::2
	watch '.src_ip == "10.77.0.1"' --src-addr=10.77.0.1
	watch '.src_ip != "fd77::2"' --not-src-addr=fd77::2
	watched --messages 40 --bytes 100 --reply 100
	watch '.dest_ip == "fd77::1"' --dest-addr=fd77::1/128
	watch '.dest_ip != "10.77.0.2"' --not-dest-addr=10.77.0.2/31
	watch '.src_ip == "10.77.0.1" or .src_ip == "fd77::1"' --src-addr=10.77.0.1 --src-addr=fd77::1
	watch '.src_ip == "10.77.0.2" and .dest_ip == "10.77.0.1"' --src-addr=10.77.0.2,fd77::2 --dest-addr=10.0.0.0/8
	watch "$v6" --addr=10.77.0.0/24,fd77::/64 --not-addr=::ffff:10.77.0.2
	watched --messages 40 --bytes 100 --reply 100
}

test_a_port_is_of_either_end_the_source_or_the_destination() {
	wire_up --delay-ms 1 --drop-every 9
	watch "$v4" --port=7000-7009
	watch "$v6" --not-port=1,7000-7009,65535
	watch '.src_port < 7010' --src-port=7000-7009
	watch '.src_port >= 7010' --not-src-port=7000-7009
	watch '.dest_port < 9000' --dest-port=1-8999
	watch '.dest_port < 9000' --not-dest-port=9000-9009
	watched --messages 40 --bytes 100 --reply 100
	watch "$v6 and .src_port >= 9000" --port=8000-8009 --src-port=9000,9001-9009
	watch "$v4 and .src_port >= 9000" --not-port=8000-8009 --dest-port=7000-7009
	watch '(.src_port | IN(range(7000; 7010))) or (.src_port | IN(range(8000; 8010)))' \
		--src-port=7000-7009 --src-port=8000-8009
	empty=--port=7000-7009\ --not-port=9000-9009
	watch false --port=7000-7009 --not-port=9000-9009
	watch "$v4" --port=7000-7009 --proto=tcp
	watched --messages 40 --bytes 100 --reply 100
}

# For each direction of the datagrams of $truth a line: their fields, and how many the other end has received.
datagrams_sent() { # FAMILY
	jq -sc --argjson family "$1" '
		(if $family == 4 then ["10.77.0.1", "10.77.0.2"] else ["fd77::1", "fd77::2"] end) as $ips |
		map({(.role): .}) | add | [.client, .server, $ips], [.server, .client, ($ips | reverse)] |
		{netns: .[0].netns, ip_version: $family, proto: "udp", src_ip: .[2][0], dest_ip: .[2][1],
			src_port: .[0].local_port, dest_port: .[0].remote_port, messages: .[1].messages}' "$truth"
}

# On a host that allows tracepoints only, UDP has no stage for packets that come in; those that leave are timed
# everywhere.
test_datagrams_are_left_out_as_the_generator_counts_them() {
	wire_up
	inode=$(stat -Lc %i "$ns0")
	watch true --proto=udp
	watch true --not-proto=tcp
	watch false --proto=tcp
	watch "$v4" --port=7000-7009
	watch "$v6" --not-port=7000-7009
	watch '.src_port >= 9000' --src-port=9000-9009
	watch '.src_port < 9000' --not-src-port=9000-9009
	watch "$v6 and .dest_port < 9000" --dest-port=8000-8009
	watch '.dest_port < 9000' --not-dest-port=9000-9009 --proto=udp
	watch "$v4" --addr=10.77.0.1
	watch "$v6" --not-addr=10.77.0.2
	watch '.src_ip == "fd77::2" or .src_ip == "10.77.0.1"' --src-addr=fd77::2,10.77.0.1
	watch '.dest_ip != "fd77::1"' --not-dest-addr=fd77::1/128
	watch "$v4 and .netns == $inode" --netns="$inode" --addr=10.77.0.0/24 --not-port=8000-8009
	for i in "${!options[@]}"; do
		options[i]+=" --events=latency --latency-stage=qdisc"
	done
	watched_start
	for family in 4 6; do
		ports $family
		datagrams --family $family --messages $((30 * family)) --bytes 100
		datagrams_sent $family >>"$work/sent"
		traffic --family $family --messages 20 # nobody's datagrams
	done
	kill -TERM "${pids[@]}"
	wait "${pids[@]}" || fail "a netlog ended with $?"
	equal "datagrams" "$(jq .messages "$work/sent" | sum)" 600
	for i in "${!options[@]}"; do
		what=${options[$i]}
		lines=$work/watched.$i
		check_books
		jq -c "select(${predicates[$i]})" "$work/sent" >"$work/wanted"
		jq -sc --slurpfile sent "$work/sent" '
			def what: {netns, ip_version, proto, src_ip, dest_ip, src_port, dest_port};
			map(select(.stage == "qdisc" and .proto == "udp" and (.netns | IN($sent[].netns)))) |
			group_by(what)[] | (.[0] | what) + {messages: length}' "$lines" >"$work/told"
		equal "datagrams of $what that are not wanted, or more of them" "$(jq -nc --slurpfile wanted "$work/wanted" '
			inputs | select(. as $told | any($wanted[]; del(.messages) == ($told | del(.messages)) and
				.messages >= $told.messages) | not)' "$work/told")" ""
		at_least "datagrams of $what" $(($(jq .messages "$work/told" | sum) + $(missed latency) + 1)) 100 \
			$(($(jq .messages "$work/wanted" | sum) + 1)) # some want none
		case $what in
		*proto=udp* | *not-proto=tcp*) equal "TCP's lines of $what" "$(ours "$lines" | count)" 0 ;;
		*--proto=tcp*) [ "$(ours "$lines" | count)" -gt 20 ] || fail "$(ours "$lines" | count) lines of TCP" ;;
		esac
	done
}

test_protocols_namespaces_and_interfaces() {
	wire_up --delay-ms 1 --drop-every 9
	inode=$(stat -Lc %i "$ns0")
	watch '.proto == "tcp"' --proto=udp,tcp
	watch false --not-proto=tcp
	watch ".netns == $inode" --netns="$ns0"
	watch ".netns != $inode" --not-netns="$inode"
	watch '.ifname == "wire0"' --ifname=lo,wire0
	watch '.ifname != "wire0"' --not-ifname=wire0
	watch ".netns == $inode and $v6" --netns="$inode" --addr=fd77::1
	watch ".ifname == \"wire1\" and $v4" --ifname=wire1 --not-port=8000-8009
	watch ".netns == $inode and .event_type == \"latency\"" --ifname=wire0 --ifname=wire1 --netns="$inode"
	empty=--not-proto=tcp
	watched --messages 40 --bytes 100 --reply 100
}

# As ip-netns(8) has them; /run is another one for this.
test_a_namespace_may_be_given_by_its_name() {
	needs_mounts
	wire_up
	ports 4
	lines=$work/lines.jsonl
	unshare --mount --propagation private sh -c "mount -t tmpfs none /run && mkdir /run/netns &&
		touch /run/netns/blue && mount --bind $ns1 /run/netns/blue &&
		exec $netlog -q --output=file:$lines --netns=blue" &
	netlog_pid=$!
	wait_for 30 started "$lines" || fail "no start"
	traffic --messages 40
	netlog_stop
	check_books
	equal "namespaces" "$(jq 'select(.netns) | .netns' "$lines" | sort -u)" "$(stat -Lc %i "$ns1")"
}

# One connection over the wire, one inside a namespace.
test_limits_of_rtt_and_latency() {
	wire_up --delay-ms 3
	rtt='(.rtt_us // .srtt_us)'
	watch ".event_type != \"rtt\" or $rtt >= 2000" --min-rtt=2000
	watch ".event_type != \"rtt\" or $rtt < 2000" --not-min-rtt=2000
	watch ".event_type == \"rtt\" and $rtt >= 2000 and $rtt < 900000" --min-rtt=2000 --not-min-rtt=900000 --events=rtt
	watched_start
	traffic --messages 60
	ns1_was=$ns1 ns1=$ns0
	traffic --messages 60
	ns1=$ns1_was
	watched_stop
	wire_down
	wire_up
	for limit in min not-min; do
		netlog_start --events=latency --$limit-latency=20000
		traffic --messages 20 --bytes 100 --dwell-ms 40
		netlog_stop
		check_books
		if [ $limit = min ]; then
			equal "too fast" "$(ours "$lines" | jq 'select(.latency_ns < 20000000)' | count)" 0
		else
			equal "too slow" "$(ours "$lines" | jq 'select(.latency_ns >= 20000000)' | count)" 0
		fi
		[ "$(ours "$lines" | count)" -ge 20 ] || fail "$limit: $(ours "$lines" | count) lines"
	done
}

# The process waits for a word before it connects, so that its pid is known.
test_pid_and_comm_are_the_owners() {
	needs_the_hosts_pids
	wire_up
	ports 4
	mkfifo "$work/go"
	bash -c "read -r _ <$work/go; exec build/traffic --client $ns0 --server $ns1 --messages 60 \
		--comm 'a server,1'" >"$work/truth" &
	client=$!
	watch ".pid == $client" --pid="$client,1"
	watch ".pid != $client" --not-pid="$client"
	watch '.comm == "traffic"' --comm=traffic
	watch '.comm != "traffic"' --not-comm=traffic
	watch ".pid == $client and .ifname == \"wire0\"" --pid="$client" --ifname=wire0
	watched_start
	echo go >"$work/go"
	wait $client || fail "traffic failed"
	watched_stop
	lines=$work/comma
	"$netlog" -q --output="file:$lines" --comm="a server,1" --netns="$ns1" &
	netlog_pid=$!
	wait_for 30 started "$lines" || fail "no start"
	traffic --messages 30 --comm "a server,1"
	netlog_stop
	equal "names" "$(jq -r 'select(.netns) | .comm' "$lines" | sort -u)" "a server,1"
}

# ---- words

test_a_value_that_cannot_be_is_refused_and_nothing_runs() {
	refused 2 "--port: '70000' is no port; give numbers from 1 to 65535" $netlog --port=70000
	refused 2 "'10.0.0.0/33': what follows the slash must be from 0 to 32" $netlog --addr=10.0.0.0/33
	refused 2 "give 10.0.0.0/8 for the network, or 10.0.0.1 for the host" $netlog --not-addr=10.0.0.1/8
	refused 2 "--unit: a unit is missing" $netlog --unit=
	refused 2 "--not-cgroup: a path is missing" $netlog --not-cgroup=
	refused 2 "there is no network namespace 'no-such'" $netlog --netns=no-such
	echo '{
		"port": ["443",
			 "70000"] }' >"$work/conf"
	refused 78 "conf:3: \"port\": '70000' is no port" $netlog --config="$work/conf"
}

test_filters_are_in_the_start_line_and_in_the_printed_configuration() {
	status_of $netlog --include-ssh -d 0.1 --port=80,443 --port=8080 --not-comm='a "b"' --min-rtt=5 --netns=7 >"$work/lines"
	equal "exit status ($message)" "$status" 0
	equal "filters" "$(head -n 1 "$work/lines" | jq -c .filters)" \
		'{"port":["80,443","8080"],"not-comm":["a \"b\""],"netns":["7"],"min-rtt":["5"]}'
	$netlog --port=80,443 --not-comm='a "b"' --not-min-latency=9 --print-config >"$work/conf"
	equal "what is printed" "$(jq -c '[.port, .["not-comm"], .["not-min-latency"], .["not-port"]]' \
		"$work/conf")" '[["80,443"],["a \"b\""],9,null]'
	equal "what is read again" "$($netlog --config="$work/conf" --print-config)" "$(cat "$work/conf")"
	equal "the command line's list" \
		"$($netlog --config="$work/conf" --port=1 --print-config | jq -c .port)" '["1"]'
}

# ---- change

reloaded() { [ "$(grep -c '"event_type":"reload"' "$lines")" -ge "$1" ]; }

# The IPv4 connection is wanted all the time, the IPv6 one every other time.
test_filters_change_by_sighup_and_no_line_is_lost() {
	wire_up
	echo '{"port": "7000-7009", "events": "latency", "latency-stage": "app"}' >"$work/conf"
	netlog_start --config="$work/conf"
	ports 6
	build/traffic --client "$ns0" --server "$ns1" --family 6 --messages 1000000 --gap-ms 1 \
		>/dev/null 2>&1 &
	ports 4
	build/traffic --client "$ns0" --server "$ns1" --messages 600 --gap-ms 4 >"$work/truth" &
	traffic_pid=$!
	truth=$work/truth
	changes=0
	while kill -0 $traffic_pid 2>/dev/null; do
		changes=$((changes + 1))
		if [ $((changes % 2)) = 1 ]; then
			echo '{"port": ["7000-7009", "8000-8009"], "events": "latency", "latency-stage": "app"}'
		else
			echo '{"not-port": "1-6999,8000-8009", "addr": "10.77.0.0/16", "events": "latency", "latency-stage": "app"}'
		fi >"$work/conf"
		kill -HUP "$netlog_pid"
		wait_for 10 reloaded $changes || fail "no reload"
	done
	wait $traffic_pid || fail "traffic failed"
	netlog_stop
	check_books
	[ $changes -ge 5 ] || fail "only $changes changes"
	for role in client server; do
		at_least "messages of the $role" "$(events latency $role | count)" 99 600
	done
	# no IPv6 line is from a time when a filter was against it, except for the moment between the change
	# and its reload line
	jq -s --arg six '^(8|9)' '
		def us: .timestamp | (sub("\\.[0-9]+"; "") | fromdate) * 1000000 +
			(capture("\\.(?<f>[0-9]+)").f | tonumber);
		[.[] | select(.event_type == "reload") | us] as $at |
		[.[] | select(.ip_version == 6) | us as $t | [$at[] | select(. < $t)] | length % 2] |
			{in: (map(select(. == 1)) | length), out: (map(select(. == 0)) | length)}' \
		"$lines" >"$work/sides"
	[ "$(jq .in "$work/sides")" -gt 20 ] || fail "IPv6 lines: $(cat "$work/sides")"
	[ "$(jq .out "$work/sides")" -le $((2 * changes)) ] || fail "left out: $(cat "$work/sides")"
	# a broken file changes nothing
	echo '{"port": "no-such-service"}' >"$work/conf"
	refused 78 "'no-such-service' is no port" $netlog --config="$work/conf"
}

# Such a link may be followed by those who may trace the process, as netlog cannot any more when it runs.
test_a_path_to_a_process_s_namespace_still_counts_on_sighup() {
	wire_up
	unshare --net sleep infinity &
	other=$!
	entered() { [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
	wait_for 10 entered || fail "no namespace"
	# shellcheck disable=SC2034 # read in lib.sh
	ours=()
	conf "$ns0" /proc/$other/ns/net
	netlog_start --config="$work/conf"
	kill -HUP "$netlog_pid"
	wait_for 10 reloaded 1 || fail "no reload: $(cat "$work/netlog.log")"
	traffic
	# one that was never followed, and one whose process has ended
	conf "$ns1"
	kill -HUP "$netlog_pid"
	wait_for 10 grep -q "cannot look at the network namespace '$ns1': Permission denied; give its number" \
		"$work/netlog.log" || fail "what is said: $(cat "$work/netlog.log")"
	kill $other
	wait $other
	conf "$ns0" /proc/$other/ns/net
	kill -HUP "$netlog_pid"
	wait_for 10 grep -q "there is no network namespace '/proc/$other/ns/net'" "$work/netlog.log" ||
		fail "what is said: $(cat "$work/netlog.log")"
	netlog_stop
	check_books
	equal "namespaces of lines" "$(event_lines "$lines" | jq .netns | sort -u)" "$(stat -Lc %i "$ns0")"
}

# conf NETNS...
conf() { jq -n '{netns: $ARGS.positional}' --args "$@" >"$work/conf"; }

run_tests
