#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# "To add an event, touch three files": a copy of the tree, an event more, and all follows.
. "$(dirname "$0")/lib.sh"

test_adding_an_event_touches_three_files() {
	tree=$work/tree
	mkdir "$tree"
	cp -r Makefile bpf src tests examples README.md "$tree"
	git init -q "$tree" 2>/dev/null
	git -C "$tree" add . && git -C "$tree" -c user.name=t -c user.email=t commit -qm before

	# 1. its rows, with a source of names that nobody has had yet
	sed -i -e '/^#define EVENTS(X)/i \
#define CLOSE_NAMES(N)\
#define CLOSE_FIELDS(F) F(tcp_state, old_state, "state before") F(close_word, word, "which, by a name")\
#define CLOSE_HOOKS(H) H(close, state, 1, lines, close__inet_sock_set_state, "")\
' -e "/^	  \"a packet's time inside this host\")/"'s/$/ \\\
	X(close, CLOSE_FIELDS, CLOSE_HOOKS, "00000000000000000000000000000001", "a TCP connection has closed")/
	/^#define NAMED_KINDS(S)/a \
	S(close_word, __u32, named, 64, CLOSE_NAMES) \\' "$tree/bpf/events.h"
	# 2. its program
	cat >"$tree/bpf/close.bpf.c" <<-'END'
		// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
		#include "subject.bpf.h"

		SEC("tp_btf/inet_sock_set_state")
		int close__inet_sock_set_state(__u64 *ctx)
		{
			const bool typed = loads_allowed();
			struct sock *sk = ARGUMENT(inet_sock_set_state, sk);
			struct subject subject;
			struct close *e;

			if (ARGUMENT(inet_sock_set_state, new_state) != TCP_CLOSE ||
			    READ(typed, sk, sk_protocol) != IPPROTO_TCP)
				return 0;
			subject_of_sock(&subject, sk, true, typed);
			e = event_begin(close, &subject, typed);
			if (!e)
				return 0;
			SET(e, old_state, ARGUMENT(inet_sock_set_state, old_state));
			SET(e, word, TCP_CLOSE);
			event_submit(e);
			return 0;
		}
	END
	# 3. its test
	cat >"$tree/tests/live/close_test.sh" <<-'END'
		#!/bin/bash
		# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
		. "$(dirname "$0")/lib.sh"
		test_a_closed_connection_is_told_once() {
			wire_up
			netlog_start --events=close
			traffic --family 6 --cookie
			netlog_stop
			check_books
			traffic_is() { [ $1 = client ] && echo traffic || echo traffic-server; }
			for role in client server; do
				equal "ports and owner of the $role" "$(jq -c "select(.event_type == \"close\" and
					.sock_cookie == \"$(of $role sock_cookie)\") | [.src_port, .dest_port, .comm]" "$lines")" \
					"[$(of $role local_port),$(of $role remote_port),\"$(traffic_is $role)\"]"
			done
			/usr/bin/python3 tests/live/validate.py $netlog "$lines" || fail "not valid"
		}
		run_tests
	END
	chmod +x "$tree/tests/live/close_test.sh"
	equal "files touched" "$(git -C "$tree" status --porcelain -uall | awk '{ print $2 }' | sort | tr '\n' ' ')" \
		"bpf/close.bpf.c bpf/events.h tests/live/close_test.sh "

	make -s -C "$tree" all tools unit-tests >"$work/log" 2>&1 ||
		fail "it does not build: $(tail -n 20 "$work/log")"
	"$tree/build/unit/tests" encode. event. control. probe. names. recording. lines. >"$work/log" 2>&1 || fail "$(cat "$work/log")"
	"$tree/tests/live/close_test.sh" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
	"$tree/build/netlog" --help | grep -q 'Events: .*close' || fail "--help does not know it"
	# the records are others now, and neither of the two takes the other's for its own
	"$netlog" -q -d 0.1 -w "$work/ours" && "$tree/build/netlog" -q -d 0.1 -w "$work/theirs"
	refused 65 "whose events are not those of this netlog" "$netlog" -r "$work/theirs"
	refused 65 "whose events are not those of this netlog" "$tree/build/netlog" -r "$work/ours"
	make -s -C "$tree" README.md >/dev/null && grep -q '`old_state`' "$tree/README.md" ||
		fail "the README does not know it"
}

run_tests
