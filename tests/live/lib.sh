# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - sourced by the live tests: a wire, traffic, netlog, and the comparison of the two's accounts.
#
# A test is a function test_*; run_tests at the end of the file runs them all. Waiting is always for
# something, with a limit. All that is made is a process (the namespaces end with the wire's) or lies
# in $work, and goes at the end.
#
# A test looks only at what it has made: other people's sockets, interfaces, mounts and processes come
# and go on this host. netlog sees all of the host, so netlog_start has it log the wire's two namespaces
# only; a test that starts netlog by itself does so with "${ours[@]}", or tells its own lines apart.

set -u
live= # what is tested is this host's netlog; tests/vm judges what another has left
[[ ${BASH_SOURCE[1]} != *_test.sh ]] || live=yes
# The host does not see a test's mounts, and they end with the test. A chroot whose root is no mount point can
# have no such namespace: tests that mount are skipped there, see needs_mounts.
if [[ -n $live && -z ${NETLOG_OWN_MOUNTS:-} ]]; then
	export NETLOG_OWN_MOUNTS=no
	if why_no_mounts=$(LC_ALL=C unshare --mount --propagation private true 2>&1); then
		NETLOG_OWN_MOUNTS=yes
		exec unshare --mount --propagation private "$0" "$@"
	fi
	export why_no_mounts
fi
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
export PYTHONDONTWRITEBYTECODE=1 # process.py is imported: it leaves nothing in the tree
netlog=${NETLOG:-build/netlog}
work=$(mktemp -d) || exit 1
reports=$work/reports # what sanitizers have found, whatever user netlog was by then
wire_pid=
netlog_pid=
skipped=0 # see witness_stop
retrans_before=0 # see all_told
ours=() # netlog's options for the lines of the wire's namespaces alone

sanitizer= # what has to be loaded in front of a library that is preloaded
if [ "${SANITIZE:-}" = 1 ]; then
	netlog=build/asan/netlog
	# shellcheck disable=SC2034 # tests use it
	sanitizer=$(cc -print-file-name=libasan.so)
	chmod 755 "$work" && mkdir -m 1777 "$reports" || exit 1
	# journald's thread may be cancelled: its frames stay marked as in use, and the sanitizer's own
	# signal stack at the thread's end would lie in them
	export ASAN_OPTIONS=log_path=$reports/asan:use_sigaltstack=0 UBSAN_OPTIONS=log_path=$reports/ubsan:print_stacktrace=1
fi

at_exit() {
	for pid in $(jobs -rp); do
		kill "$pid" 2>/dev/null
	done
	# a file system that is mounted there is not ours to empty
	[ -n "${kept:-}" ] || rm -rf --one-file-system "$work"
}
trap at_exit EXIT
trap 'exit 130' INT TERM

# fail WORDS: the running test has failed; it ends here (tests run in subshells).
fail() {
	echo "# $*"
	exit 1
}

# skip WHY: the running test is not possible here; it ends.
skip() {
	echo "$*" >"$work/skipped"
	exit 1
}

needs_mounts() {
	[ "${NETLOG_OWN_MOUNTS:-}" = yes ] || skip "no mount namespace of our own: ${why_no_mounts:-}"
}

# The initial one's number is a constant of the kernel: PROC_PID_INIT_INO
needs_the_hosts_pids() {
	[ "$(readlink /proc/self/ns/pid)" = "pid:[$((0xeffffffc))]" ] ||
		skip "netlog tells pids of the host's pid namespace, and this is another"
}

# The whole hierarchy at $work/cgroups, where only we see it, until the end of the test
cgroups_mount() {
	needs_mounts
	mkdir "$work/cgroups"
	mount -t cgroup2 cgroup2 "$work/cgroups" 2>"$work/mount" || skip "no cgroup2: $(cat "$work/mount")"
}

# cgroups_are_ours DIRECTORY...: these cgroups go at the end of the test, with those below them
cgroups_made=()
cgroups_are_ours() { cgroups_made=("$@"); }

# An empty /run, which only we see, until the end of the test
run_mount() {
	needs_mounts
	mount -t tmpfs none /run || fail "no tmpfs"
	run_is_ours=yes
}

# Programs that have not been built yet, and how to
why_not_built() {
	local source tool
	[ -x "$netlog" ] || echo "there is no $netlog: make $netlog builds it"
	for source in tests/live/*.c; do
		tool=build/$(basename "$source" .c)
		case $tool in
		*.bpf | */tool) ;;
		*) [ -e "$tool" ] || echo "there is no $tool: make tools builds it" ;;
		esac
	done
}

# Why no live test can run here
why_not_here() {
	local self _
	[ "$(id -u)" = 0 ] || echo "not root"
	# of a /proc that is another pid namespace's, not even the wire's namespaces can be had
	read -r self _ 2>/dev/null </proc/self/stat && [ "$self" = $BASHPID ] || echo "no /proc of this pid namespace"
	[ -e /sys/kernel/btf/vmlinux ] || echo "no /sys/kernel/btf/vmlinux"
	[ -c /dev/net/tun ] || echo "no /dev/net/tun"
}

# wait_for SECONDS COMMAND...: until it succeeds; fails when the time is over.
wait_for() {
	local tries=$(($1 * 20))
	shift
	while ! "$@"; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# wire_up OPTIONS: $ns0 and $ns1 are then the two ends' namespaces, as paths
wire_up() {
	: >"$work/wire" # the one before may have left its word
	build/wire "$@" >"$work/wire" 2>"$work/wire.log" &
	wire_pid=$!
	wait_for 10 grep -qs ready "$work/wire" || fail "no wire: $(cat "$work/wire.log")"
	ns0=/proc/$wire_pid/fd/30
	ns1=/proc/$wire_pid/fd/31
	# as numbers: a netlog without privileges may not look there again when it reloads
	ours=(--netns="$(stat -Lc %i "$ns0")" --netns="$(stat -Lc %i "$ns1")")
	case " $* " in
	*" --drop-every "*) timeouts_are_short ;;
	esac
}

# By itself TCP waits for 200 ms and more before it sends a lone lost packet again.
timeouts_are_short() {
	local end
	for end in 0 1; do
		nsenter --net="/proc/$wire_pid/fd/3$end" sh -c "ip route change 10.77.0.0/24 dev wire$end \
			proto kernel scope link src 10.77.0.$((end + 1)) rto_min 20ms &&
			ip -6 route change fd77::/64 dev wire$end proto kernel metric 256 rto_min 20ms" ||
			fail "no rto_min"
	done
}

wire_down() {
	kill "$wire_pid"
	wait "$wire_pid" || fail "the wire: $(cat "$work/wire.log")"
	wire_pid=
}

# traffic OPTIONS: one connection over the wire; $truth has both ends' accounts
traffic() {
	truth=$work/truth
	timeout 120 build/traffic --client "$ns0" --server "$ns1" "$@" >"$truth" || fail "traffic $* failed"
}

# traffic_both OPTIONS: the same over IPv4 and then IPv6; the accounts are $work/truth.4 and .6
traffic_both() {
	local family
	for family in 4 6; do
		traffic --family $family "$@"
		cp "$truth" "$work/truth.$family"
	done
}

# datagrams OPTIONS: UDP over the wire, likewise
datagrams() {
	truth=$work/truth
	timeout 120 build/datagrams --client "$ns0" --server "$ns1" "$@" >"$truth" || fail "datagrams $* failed"
}

# witness_start or witness_begin; witness_end or witness_stop: a BPF program counts the kernel's calls, from before
# netlog until after the traffic. After witness_start and witness_stop, $skipped is the number of packets, by the
# account of the client's driver, for which the kernel skipped the call.
witness_start() {
	witness_begin
	driven_before=$(driven)
}

witness_begin() {
	: >"$work/witness"
	build/witness build/witness.bpf.o >"$work/witness" 2>"$work/witness.log" &
	witness_pid=$!
	wait_for 10 grep -qs ready "$work/witness" || fail "no witness: $(cat "$work/witness.log")"
}

# Packets that the client's driver was given, and has sent on or dropped
driven() { nsenter --net="$ns0" ip -s -j link show wire0 | jq '.[0].stats64.tx | .packets + .dropped'; }

witness_stop() {
	skipped=$(($(driven) - driven_before))
	witness_end
	skipped=$((skipped - $(witnessed packets "$(stat -Lc %i "$ns0")")))
	[ $skipped -ge 0 ] || skipped=0 # IPv6 talks by itself, also in between
	[ $skipped = 0 ] || echo "# the kernel made no call for $skipped packets"
}

witness_end() {
	kill "$witness_pid"
	wait "$witness_pid" || fail "the witness: $(cat "$work/witness.log")"
}

# witnessed segments|packets NUMBER: in that namespace
witnessed() { awk -v what="$1" -v netns="$2" '$1 == what && $2 == netns { print $3 }' "$work/witness" | sum; }

# of ROLE FIELD: from the truth
of() {
	jq -r "select(.role == \"$1\" and has(\"local_port\")) | .$2" "$truth"
}

# netlog_start OPTIONS: its lines of the wire go to $lines
netlog_start() {
	lines=$work/lines.jsonl
	: >"$lines"
	"$netlog" --output="file:$lines" "${ours[@]}" "$@" 2>"$work/netlog.log" &
	netlog_pid=$!
	wait_for 30 started_or_ended
	grep -q '"event_type":"start"' "$lines" || fail "netlog did not start: $(cat "$work/netlog.log")"
	[ -z "$wire_pid" ] || retrans_before=$(retrans_segs)
}

started_or_ended() {
	grep -q '"event_type":"start"' "$lines" || ! kill -0 "$netlog_pid" 2>/dev/null
}

netlog_stop() {
	kill -TERM "$netlog_pid"
	wait "$netlog_pid"
	local status=$?
	[ $status = 0 ] || fail "netlog ended with $status: $(cat "$work/netlog.log")"
	tail -n 1 "$lines" | grep -q '"event_type":"stop"' || fail "no stop line at the end"
}

# events TYPE ROLE [FILTER]: its lines of the socket that the truth calls so, through a jq filter. Found by
# ports and namespace: not every kernel gives a socket a cookie unasked. Which of the ports is the source is
# for the tests to say, but where both ends are in one namespace.
events() {
	jq -nc --arg type "$1" --arg role "$2" --slurpfile truth "$truth" '
		[$truth[] | select(has("local_port"))] as $ends |
		first($ends[] | select(.role == $role)) as $own | ($own | [.local_port, .remote_port] | sort) as $ports |
		($ends | map(.netns) | unique | length == 1) as $together | inputs |
		select(.event_type == $type and .netns == $own.netns and ([.src_port, .dest_port] | sort) == $ports and
			(($together | not) or $own.local_port ==
				if .direction == "ingress" then .dest_port else .src_port end)) | '"${3:-.}" "$lines"
}

# missed TYPE: events for which the kernel did not run the program, as the lost lines tell
missed() {
	jq "select(.event_type == \"lost\" and .lost_event == \"$1\" and .where == \"hook\") | .count" "$lines" | sum
}

# segs_of ROLE: segments sent again, those of missed calls included. Other sockets' retransmits are
# told apart by their lines, but not when they are missed: such tests log one connection's at a time.
segs_of() {
	echo $(($(events retransmit "$1" .segs | sum) + $(missed retransmit)))
}

# Sum and count of numbers, one a line; the middle one.
sum() { awk '{ s += $1 } END { print s + 0 }'; }
count() { wc -l; }
median() { sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "none" }'; }

# kernel_at_least MAJOR MINOR: the one whose lines are looked at
kernel_at_least() {
	local version minor
	version=${kernel:-$(uname -r)} minor=${version#*.}
	[ "${version%%.*}" -gt "$1" ] || { [ "${version%%.*}" = "$1" ] && [ "${minor%%[!0-9]*}" -ge "$2" ]; }
}

# equal WHAT A B
equal() {
	[ "$2" = "$3" ] || fail "$1: $2, not $3"
}

# told WHAT SEEN TRUE: as many retransmits as there were, but for those told as missed
told() {
	local missed
	missed=$(missed retransmit)
	[ "$2" -le "$3" ] && [ $(($2 + missed)) -ge "$3" ] || fail "$1: $2, not $3 ($missed missed)"
}

# Segments that TCP has sent again in the wire's two namespaces
retrans_segs() {
	local ns
	for ns in "$ns0" "$ns1"; do
		nsenter --net="$ns" nstat -asz TcpRetransSegs | awk '$1 == "TcpRetransSegs" { print $2 }'
	done | sum
}

# Those in lines
segs_told() { jq 'select(.event_type == "retransmit") | .segs' "$lines" | sum; }

# all_told: the segments in lines, and those told as missed, are all that TCP has sent again since netlog_start
all_told() {
	equal "segments in lines and missed" $(($(segs_told) + $(missed retransmit))) $(($(retrans_segs) - retrans_before))
}

# at_least WHAT SEEN PART WHOLE: seen >= part % of whole, and whole is not nothing
at_least() {
	[ "$4" -gt 0 ] && [ $((100 * $2)) -ge $(($3 * $4)) ] || fail "$1: $2 of $4, wanted $3 %"
}

# within WHAT VALUE LOW HIGH
within() {
	[ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1: $2 is not from $3 to $4"
}

# The books of the stop line and the lines' numbers, which hold in every run.
check_books() {
	/usr/bin/python3 tests/live/books.py "$lines" >"$work/books" 2>&1 || fail "the books: $(cat "$work/books" 2>&1)"
}

# The cookies of ten messages each way, and of all other lines of the socket, are those that the traffic was told.
check_cookies() {
	local role type
	for role in client server; do
		equal "cookies of messages to the $role" \
			"$(events latency $role 'select(.stage == "app") | .sock_cookie' | sort | uniq -c | xargs)" \
			"10 $(of $role sock_cookie)"
		# not each line has a socket: a queued SYN-ACK has the request alone, a packet that has just come in none yet
		for type in $(event_types); do
			events $type $role 'select(.stage != "qdisc" and .stage != "transport") | .sock_cookie'
		done | sort -u >"$work/cookies"
		kernel_at_least 5 12 || sed -i '/^null$/d' "$work/cookies"
		equal "cookies of the $role" "$(xargs <"$work/cookies")" "$(of $role sock_cookie)"
	done
}

# Traffic without end, in the background: a message each GAP ms
chatter() {
	build/traffic --client "$ns0" --server "$ns1" --messages 1000000 --gap-ms "$1" >/dev/null 2>&1 &
}

# status_of COMMAND...: its exit status into $status, its stderr into $message
status_of() {
	"$@" 2>"$work/message"
	status=$?
	message=$(cat "$work/message")
}

# refused STATUS WORDS COMMAND...: it must end so, and say so
refused() {
	local wanted=$1 words=$2
	shift 2
	status_of "$@" >"$work/stdout"
	equal "exit status of $* ($message)" "$status" "$wanted"
	case $message in
	*"$words"*) ;;
	*) fail "$*: \"$message\" does not say \"$words\"" ;;
	esac
	if grep -q event_type "$work/stdout"; then
		fail "$*: lines in spite of that"
	fi
}

# ports FAMILY: the connections to come are from 9000..9009, to 7000..7009 (IPv4) or 8000..8009 (IPv6)
ports() {
	local first=7000
	[ "$1" = 4 ] || first=8000
	nsenter --net="$ns0" sh -c 'echo 9000 9009 >/proc/sys/net/ipv4/ip_local_port_range'
	nsenter --net="$ns1" sh -c "echo $first $((first + 9)) >/proc/sys/net/ipv4/ip_local_port_range"
}

# ours FILE: lines of TCP in our namespaces; others may be at work on this host, and IPv6 talks by itself
ours() {
	jq -c "select(.netns == $(stat -Lc %i "$ns0") or .netns == $(stat -Lc %i "$ns1")) |
		select(.proto == \"tcp\")" "$1"
}

# The names of all events, from their rows
event_types() { sed -n '/^#define EVENTS(X)/,/[^\\]$/s/^[[:space:]]*X(\([a-z_]*\),.*/\1/p' bpf/events.h; }

# events_but [EVENT]: the names of all, or of all others, as JSON; what --doctor=json says when that one is not served
events_but() { event_types | grep -vx "${1:-}" | jq -Rnc '[inputs]'; }
doctors_events_but() { event_types | jq -Rnc --arg but "${1:-}" '[inputs | {(.): (. != $but)}] | add'; }

# event_lines FILE: its lines about events, not those about netlog itself
event_lines() { jq -c --argjson events "$(events_but "")" 'select(.event_type | IN($events[]))' "$1"; }

# sockets_map PID: the number of the map in which that netlog remembers sockets: in the socket (type 24,
# sk_storage), or where the kernel has no such thing for it, in a table (9, LRU)
sockets_map() {
	awk '/^map_type:/ { type = $2 } /^key_size:/ { key = $2 } /^max_entries:/ { room = $2 }
		/^map_id:/ && (type == 24 || type == 9 && key == 8 && room == 65536) { print type, $2 }' \
		/proc/"$1"/fdinfo/* | sort -n | head -n 1 | cut -d ' ' -f 2
}

# started FILE: has the netlog that writes there begun?
started() { grep -qs '"event_type":"start"' "$1"; }

# keep DIRECTORY: with KEEP=1, a failed test's files stay
keep() {
	[ "${KEEP:-}" = 1 ] || return 0
	kept=yes
	echo "# kept: $1"
}

sanitizers_are_content() {
	[ -n "$(ls -A "$reports" 2>/dev/null)" ] || return 0
	sed 's/^/# /' "$reports"/*
	rm "$reports"/*
	return 1
}

run_tests() {
	local name status failed=0 why=
	[ -z "$live" ] || why=$(why_not_here)
	why=${why_skipped:-$why}
	why=${why%%$'\n'*}
	if [ -n "$live" ] && [ -z "$why" ] && [ -n "$(why_not_built)" ]; then
		echo "# $(why_not_built | head -n 1)"
		exit 1
	fi
	# in the order of their names; TEST=word picks those that contain it
	for name in $(declare -F | awk '$3 ~ /^test_/ { print $3 }' | grep -F "${TEST:-test_}"); do
		if [ -n "$why" ]; then
			echo "skip ${name#test_}: $why"
			continue
		fi
		# a subshell each: its variables and background processes end with it
		(
			work=$work/$name
			mkdir "$work" && chmod 755 "$work" "${work%/*}"
			trap at_exit_of_test EXIT
			"$name"
		)
		status=$?
		sanitizers_are_content || status=1
		if [ $status = 0 ]; then
			echo "ok ${name#test_}"
			rm -rf --one-file-system "${work:?}/$name" # its namespaces and mounts have ended, too
		elif [ -e "$work/$name/skipped" ]; then
			echo "skip ${name#test_}: $(cat "$work/$name/skipped")"
		else
			echo "not ok ${name#test_}"
			failed=1
			keep "$work/$name"
		fi
	done
	exit $failed
}

cgroups_gone() {
	find "${cgroups_made[@]}" -depth -type d -exec rmdir {} + 2>/dev/null
	! ls -d "${cgroups_made[@]}" >/dev/null 2>&1
}

# A cgroup goes when its processes have gone, and while it can still be reached.
at_exit_of_test() {
	local left='' directory
	# all that was started here and still runs: a pid that has been waited for may be another's by now
	for pid in $(jobs -rp); do
		kill "$pid" 2>/dev/null
		kill -CONT "$pid" 2>/dev/null # a stopped one takes no other signal
		wait "$pid" 2>/dev/null
	done
	[ "${#cgroups_made[@]}" = 0 ] || wait_for 10 cgroups_gone || {
		echo "# left: ${cgroups_made[*]}"
		left=yes
	}
	for directory in "$work/disk" "$work/cgroups"; do
		! mountpoint -q "$directory" || umount -l "$directory"
	done
	[ -z "${run_is_ours:-}" ] || umount -l /run
	[ -z "$left" ] || exit 1 # whatever else it found
}
