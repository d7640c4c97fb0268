#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two hosts with netem's delay on both sides, and loss where packets come in: what a program that has
# been loaded and attached really sees on this kernel, by the best hooks and by those that take their place.
. "$(dirname "$0")/judge.sh"

# The lines and the truth become tables in one go, in which the namespace tells the end. `own PAIR FAMILY
# ROLE` sets $netns, $retrans, $segs_in and $segs_out.
table() { # SCENE FIELD...: of the event lines: type, netns, version, and these
	local name=$1 pair family
	jq -r "select(has(\"src_ip\")) | [.event_type, .netns, .ip_version, $2] | map(. // \"-\") | @tsv" \
		"$lines" >"$work/table"
	for pair in $pairs; do
		for family in 4 6; do
			scene "$name:$pair" truth.$family
			jq -r "select(has(\"local_port\")) | [\"$pair.$family\", .role, .netns, .total_retrans,
				.segs_in, .segs_out] | @tsv" "$truth"
		done
	done >"$work/ends"
}

own() {
	read -r netns retrans segs_in segs_out < <(awk -v of="$1.$2" -v role="$3" \
		'$1 == of && $2 == role { print $3, $4, $5, $6 }' "$work/ends") || fail "no truth of $1 $2 $3"
}

# column N CONDITION: that column of the table's rows that fit, by awk
column() { awk "$2 { print \$$1 }" "$work/table"; }

segs() { column 4 "\$1 == \"retransmit\" && \$2 == $netns && \$3 == $family" | sum; }

# srtt_told SAMPLES TOLD: of $pair, $family and $role ($what), samples of at least so many percent of the
# messages, and the srtt_us of at least so many: near enough is within a tenth, but it is the very same number
srtt_told() {
	own "$pair" "$family" "$role"
	jq -r "select(.role == \"$role\" and has(\"message\")) | .srtt_us" \
		"$KEPT/lossy:$pair/truth.$family" >"$work/true"
	column 5 "\$1 == \"rtt\" && \$2 == $netns && \$3 == $family" >"$work/srtt"
	at_least "$what, samples" "$(count <"$work/srtt")" "$1" 40
	at_least "$what, srtt_us that TCP_INFO gave and a line told" "$(grep -cxFf "$work/srtt" "$work/true")" "$2" 40
}

# An emulated CPU adds milliseconds of its own to the delay: what TCP_INFO said after each message is the
# truth, and the delay a lower bound.
test_segs_and_srtt_are_those_of_tcp_info_with_delay_and_loss() {
	lines_of best
	table lossy ".segs, .srtt_us"
	for pair in $pairs; do
		for family in 4 6; do
			own $pair $family client
			[ "$retrans" -ge 5 ] || fail "$pair IPv$family: no loss"
			told "$pair IPv$family: segs" "$(segs)" "$retrans"
			for role in client server; do
				what="$pair IPv$family $role"
				srtt_told 80 95
				[ "$(median <"$work/srtt")" -ge 10000 ] || fail "$what: faster than the wire"
			done
		done
	done
}

# A raw tracepoint does not tell of calls that the kernel skipped; tcp_probe gives a new srtt at the socket's
# next packet.
test_lower_hooks_tell_of_segs_and_srtt_too() {
	lines_of lower
	table lossy ".segs, .srtt_us, (.rtt_us // 0)"
	for pair in $pairs; do
		for family in 4 6; do
			own $pair $family client
			[ "$(segs)" -le "$retrans" ] || fail "$pair IPv$family: more than $retrans segments: $(segs)"
			at_least "$pair IPv$family: segs" "$(segs)" 90 "$retrans"
			for role in client server; do
				what="$pair IPv$family $role"
				srtt_told 60 50
				equal "$what, raw samples" "$(column 6 "\$1 == \"rtt\" && \$6 > 0" | count)" 0
			done
		done
	done
}

# tcp_probe, at the entry of the established state, tells nothing of what comes in FIN-WAIT, and of a
# connection so short hardly anything.
test_connections_that_write_and_shut_down_at_once_have_samples() {
	lines_of best
	for connection in 1 2 3 4 5; do
		scene short truth.$connection
		events rtt client '[.rtt_us, .tcp_state]' >"$work/samples"
		[ "$(grep -c '^\[[1-9]' "$work/samples")" -ge 3 ] ||
			fail "samples of a short connection: $(xargs <"$work/samples")"
		# the kernel's least is of the last segment that an ACK tells of, and the raw sample of the first
		[ "$(jq '.[0]' "$work/samples" | sort -n | head -n 1)" -ge "$(of client min_rtt_us)" ] ||
			fail "a raw sample below $(of client min_rtt_us): $(xargs <"$work/samples")"
		equal "min_rtt_us of the last line" "$(events rtt client .min_rtt_us | tail -n 1)" "$(of client min_rtt_us)"
	done
}

# counted ROLE: lines "VERSION PROTO PACKETS", of what came in there, by nft
counted() {
	sed -n 's/.*ipv\([46]\) .*l4proto \(...\) counter packets \([0-9]*\) .*/\1 \2 \3/p' \
		"$KEPT/clean:$pair/counted.$1"
}

# covers WHAT LINES TRUE: each one has its line, but for calls that are told as missed
covers() {
	echo "# $1: $2 of $3"
	[ "$2" -le "$3" ] && [ $(($2 + missed)) -ge "$3" ] || fail "$1: $2 lines, not $3 ($missed missed)"
}

# rows STAGE PROTO: of $netns and $family, the latencies
rows() {
	column 6 "\$1 == \"latency\" && \$2 == $netns && \$3 == $family && \$4 == \"$1\" && \$5 == \"$2\""
}

# stages NETLOG: what its lines cover at each stage
stages() {
	lines_of "$1"
	table clean ".stage, .proto, .latency_ns"
	missed=$(missed latency)
	for pair in $pairs; do
		for role in client server; do
			for family in 4 6; do
				own $pair $family $role
				what="$1, $pair IPv$family $role"
				scene clean:$pair datagrams.$family
				# the handshake's and the end's packets are not in the established state
				within "$what, packets at stage tcp" "$(rows tcp tcp | count)" $((segs_in - 5)) "$segs_in"
				covers "$what, messages at stage app" "$(rows app tcp | count)" 20
				covers "$what, datagrams at stage app" "$(rows app udp | count)" 20
				# in front of a network card netem is another host's; in front of a veth it is this one's,
				# to whose packets its delay is a part of their age
				if [ "$pair" = veth ]; then
					at_least "$what, median latency_ns" "$(rows tcp tcp | median)" 100 5000000
				else
					within "$what, median latency_ns" "$(rows tcp tcp | median)" 1 4999999
				fi
				# outwards it is: what is sent waits in netem
				at_least "$what, packets at stage qdisc" "$(rows qdisc tcp | count)" 100 "$segs_out"
				[ "$(rows qdisc tcp | median)" -ge 5000000 ] || fail "$what: out of netem before its time"
				for proto in tcp udp; do
					packets=$(counted $role | awk "\$1 == $family && \$2 == \"$proto\" { print \$3 }")
					[ "${packets:-0}" -ge 20 ] || fail "$what: $packets packets of $proto"
					covers "$what, packets of $proto at stage transport" \
						"$(rows transport $proto | count)" "$packets"
				done
			done
		done
	done
}

test_each_stage_has_the_packets_that_it_should() { stages best; }

test_with_kprobes_each_stage_has_the_packets_that_it_should() { stages lower; }

run_tests
