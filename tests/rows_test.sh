#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Rows are all it takes: the schema gets another event, with kinds of fields that no event has yet. All code that is
# made of rows is compiled anew, and the same unit tests walk it.
set -u
. "$(dirname "$0")/check.sh"

# A third and a fourth source of names, of fields that are their names: an enumeration that the kernel
# numbers anew from version to version, and a symbol, known by its address. And an enumeration of
# numbers that go far.
rows_add() {
	mkdir "$work/bpf"
	sed -e '/^#define NAMED_KINDS(S)/a \
	S(drop_reason, __u32, named, 64, NO_NAMES) S(symbol, __u64, named, 512, NO_NAMES) \\' \
		-e '/^#define EVENTS(X)/i \
#define NO_NAMES(N)\
#define FAR_VALUES(V) V(1, near) V(255, far)\
#define DROP_FIELDS(F) F(drop_reason, reason, "why") F(symbol, location, "where") F(far, far, "how far")\
#define DROP_HOOKS(H) H(drop, packet, 1, lines, drop__kfree_skb, "")\
' -e '/^#define EVENTS(X)/a \
	X(drop, DROP_FIELDS, DROP_HOOKS, "00000000000000000000000000000001", "a packet was dropped") \\' \
		-e '/^#define ENUMS(E)/a \
	E(far, FAR_VALUES) \\' bpf/events.h >"$work/bpf/events.h"
}

flags=(-std=gnu11 -D_GNU_SOURCE -DNETLOG_VERSION='"0"' -iquote "$work" -iquote "$PWD/src" -iquote "$PWD"
	-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -Wall -Wextra -Werror)

tests_build() {
	printf '%s\0' "$PWD"/src/{base,schema,host,line}/*.c \
		"$PWD"/tests/unit/{main,names_test,writer_test,event_test,control_test}.c |
		(cd "$work" && xargs -0 -n 3 -P "$(nproc)" cc "${flags[@]}" -c) &&
		cc "${flags[@]}" "$work"/*.o -o "$work/tests" $(pkg-config --libs json-c)
}

the_same_tests_walk_a_third_and_a_fourth_source_of_names_and_far_numbers() {
	rows_add
	tests_build 2>&1 | grep -E 'error|warning' | head -n 20
	ASAN_OPTIONS=detect_leaks=0 "$work/tests" names. event. control. writer.every writer.keys \
		writer.the_walk | grep -v '^ok '
	# a line still has room in every output: an assertion of run/lines.c
	cc "${flags[@]}" -fsyntax-only src/run/lines.c
}

a_source_too_many_does_not_compile() {
	sed -i 's/S(drop_reason,.*/S(drop_reason, __u32, named, 513, NO_NAMES) S(symbol, __u64, named, 512, NO_NAMES) \\/' \
		"$work/bpf/events.h"
	cc "${flags[@]}" -fsyntax-only src/schema/kind.c 2>"$work/log" && echo "names of 513 bytes are taken"
	grep -q 'drop_reason: recordings have room for no more' "$work/log" || cat "$work/log"
}

run_checks the_same_tests_walk_a_third_and_a_fourth_source_of_names_and_far_numbers \
	a_source_too_many_does_not_compile
