#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# "To add an event, touch three files": a copy of the tree, an event more by the recipe of src/README.md, and
# another one, and all follows.
#
# first: it takes the longest
. "$(dirname "$0")/lib.sh"

# recipe N: the code of the guide's step N
recipe() {
	awk -v wanted="$1. " '/^\*\*An event\*\*/ { here = 1 } /^\*\*/ && !/^\*\*An event/ { here = 0 }
		here && /^[0-9]\. / { step = substr($0, 1, 3) } here && /^   ```c/ { code = step == wanted; next }
		/^   ```/ { code = 0 } code { sub(/^   /, ""); print }' src/README.md
}

# events_append FILE: the rows that are read go behind the last one of EVENTS
events_append() {
	awk 'FNR == NR { rows = rows (NR > 1 ? " \\\n" : "") $0; next }
		/^#define EVENTS\(X\)/ { here = 1 }
		here && !/\\$/ { print $0 " \\"; print rows; here = 0; next } { print }' - "$1" >"$work/events.h" &&
		cp "$work/events.h" "$1"
}

# event_add NAME ID: the step 1 that is read; its MESSAGE_ID is made of the digit
event_add() {
	sed "s/MESSAGE_ID of .systemd-id128 new./0000000000000000000000000000000$2/" >"$work/rows"
	grep '^#define' "$work/rows" >"$work/defines"
	grep '^X(' "$work/rows" | sed 's/^/	/' | events_append "$tree/bpf/events.h"
	sed -i -e "/^#define EVENTS(X)/{
		r $work/defines
		N
	}" "$tree/bpf/events.h"
}

test_adding_an_event_touches_three_files() {
	tree=$work/tree
	mkdir "$tree"
	cp -r Makefile bpf src tests examples systemd README.md LICENSE .clang-format "$tree"
	git init -q "$tree" 2>/dev/null
	git -C "$tree" add . && git -C "$tree" -c user.name=t -c user.email=t commit -qm before

	# the recipe's: rows, program, test
	recipe 1 | event_add ended 1
	recipe 2 >"$tree/bpf/ended.bpf.c"
	cat >"$tree/tests/live/ended_test.sh" <<-'END'
		#!/bin/bash
		# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
		. "$(dirname "$0")/lib.sh"
		# the client's name and the server's
		name_of() { [ "$1" = client ] && echo traffic || echo traffic-server; }
		test_the_end_of_a_connection_is_told_once_with_ports_and_owner() {
			wire_up
			netlog_start --events=ended
			traffic --family 6 --cookie
			netlog_stop
			check_books
			for role in client server; do
				equal "ends of the $role" "$(jq -c "select(.event_type == \"ended\" and
					.sock_cookie == \"$(of $role sock_cookie)\") | [.src_port, .dest_port, .comm]" "$lines")" \
					"[$(of $role local_port),$(of $role remote_port),\"$(name_of $role)\"]"
			done
			/usr/bin/python3 tests/live/validate.py "$netlog" "$lines" || fail "not valid"
		}
		run_tests
	END
	chmod +x "$tree/tests/live/ended_test.sh"
	equal "files touched" "$(git -C "$tree" status --porcelain -uall | awk '{ print $2 }' | sort | tr '\n' ' ')" \
		"bpf/ended.bpf.c bpf/events.h tests/live/ended_test.sh "

	# another one, with a field that is a name, from a source of names that nobody has had yet
	event_add begun 2 <<-'END'
		#define BEGUN_NAMES(N)
		#define BEGUN_FIELDS(F) F(tcp_state, old_state, "state before") F(begun_word, word, "which, by a name")
		#define BEGUN_HOOKS(H) H(begun, state, 1, lines, begun__inet_sock_set_state, "")
		X(begun, BEGUN_FIELDS, BEGUN_HOOKS, "MESSAGE_ID of `systemd-id128 new`", "a TCP connection has begun")
	END
	sed -i '/^#define NAMED_KINDS(S)/a \
	S(begun_word, __u32, named, 64, BEGUN_NAMES) \\' "$tree/bpf/events.h"
	sed 's/TCP_CLOSE/TCP_ESTABLISHED/; s/ended/begun/g; s/^\tevent_submit/\tSET(e, word, 1);\n&/' \
		"$tree/bpf/ended.bpf.c" >"$tree/bpf/begun.bpf.c"

	make -s -C "$tree" CFLAGS=-O0 all tools unit-tests >"$work/log" 2>&1 ||
		fail "it does not build: $(tail -n 20 "$work/log")"
	for tests in build/unit/tests tests/live/ended_test.sh tests/live/every_event_test.sh; do
		(cd "$tree" && EVENTS=ended,begun "$tests") >"$work/log" 2>&1 ||
			fail "$tests: $(grep -v '^ok' "$work/log" | tail -n 20)"
	done
	for word in doctor refused; do # what lists the events that are served
		TEST=$word "$tree/tests/live/run_test.sh" >"$work/log" 2>&1 || fail "$(grep -v '^ok' "$work/log" | tail -n 20)"
	done
	# where sockets remember nothing, and what is known of one is gone after its end
	NETLOG_RELEASE=5.10.0-32-amd64 NETLOG_REFUSE=look LD_PRELOAD=$PWD/build/refuse.so \
		"$tree/tests/live/ended_test.sh" >"$work/log" 2>&1 || fail "without storage: $(cat "$work/log")"
	"$tree/build/netlog" --help | grep -q 'Events: .*ended, begun' || fail "--help does not know them"
	# the records are others now, and neither of the two takes the other's for its own
	"$netlog" -q -d 0.1 -w "$work/ours" && "$tree/build/netlog" -q -d 0.1 -w "$work/theirs"
	refused 65 "whose events are not those of this netlog" "$netlog" -r "$work/theirs"
	refused 65 "whose events are not those of this netlog" "$tree/build/netlog" -r "$work/ours"
	make -s -C "$tree" README.md >/dev/null && grep -q '`old_state`' "$tree/README.md" ||
		fail "the README does not know it"
}

run_tests
