#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Rows are all it takes: the schema with another event, whose fields are what no event has yet, and
# with a choice and a measure of its own. What comes of the rows is compiled with it, the same tests
# walk them, and its options are used.
set -u
. "$(dirname "$0")/check.sh"

# A third and a fourth source of names, of fields that are their names: an enumeration that the kernel
# numbers anew from version to version, and a symbol, known by its address. And an enumeration of
# numbers that go far.
rows_add() {
	mkdir "$work/bpf"
	cp bpf/*.h "$work/bpf" # they find each other first
	sed -e '/^#define NAMED_KINDS(S)/a \
	S(drop_reason, __u32, named, 64, NO_NAMES) S(symbol, __u64, named, 512, NO_NAMES) \\' \
		-e '/^#define EVENTS(X)/i \
#define NO_NAMES(N)\
#define FAR_VALUES(V) V(1, near) V(255, far)\
#define DROP_FIELDS(F) F(drop_reason, reason, "why") F(symbol, location, "where") F(far, far, "how far") \\\
	F(direction, direction, "which way") F(u64, age_us, "how old it was")\
#define DROP_HOOKS(H) H(drop, in, 1, lines, drop__receive, "", .value = direction_ingress) \\\
	H(drop, out, 1, lines, drop__send, "", .value = direction_egress)\
' -e '/^#define EVENTS(X)/a \
	X(drop, DROP_FIELDS, DROP_HOOKS, "00000000000000000000000000000001", "a packet was dropped") \\' \
		-e 's/^#define CHOICES(C)/& C(drop, direction, "drops on which way, as a,b")/' \
		-e '/^#define MEASURES(M)/a \
	M(drop, us) \\' -e '/^#define ENUMS(E)/a \
	E(far, FAR_VALUES) \\' bpf/events.h >"$work/bpf/events.h"
}

flags=(-std=gnu11 -D_GNU_SOURCE -DNETLOG_VERSION='"0"' -iquote "$work" -iquote "$PWD/src" -iquote "$PWD"
	-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -Wall -Wextra -Werror)

# What its options are read and told by.
options_main() {
	cat <<-'END'
		#include "settings/command_line.h"
		int main(int argc, char **argv)
		{
			struct options options;
			char *message = NULL;

			if (options_parse(argc, argv, &options, &message) < 0) {
				puts(message);
				free(message);
				return 2;
			}
			if (options.action.wanted == ACTION_HELP)
				options_help();
			else
				options_print(&options);
			return 0;
		}
	END
}

tests_build() {
	local libraries
	libraries=$(pkg-config --libs json-c libsystemd)
	mkdir "$work/options" "$work/tests"
	options_main >"$work/options.c"
	printf '%s\0' "$PWD"/src/{base,schema,host,line,filter,output,settings}/*.c "$PWD/src/kernel/ladder.c" \
		"$work/options.c" |
		(cd "$work/options" && xargs -0 -n 3 -P "$(nproc)" cc "${flags[@]}" -c) &&
		printf '%s\0' "$PWD"/tests/unit/{main,names_test,writer_test,event_test,control_test,options_test,config_test}.c |
		(cd "$work/tests" && xargs -0 -n 3 -P "$(nproc)" cc "${flags[@]}" -c) &&
		cc "${flags[@]}" "$work"/options/*.o -o "$work/netlog" $libraries &&
		rm "$work/options/options.o" &&
		cc "${flags[@]}" "$work"/{options,tests}/*.o -o "$work/unit" $libraries
}

the_same_tests_walk_a_third_and_a_fourth_source_of_names_and_far_numbers() {
	rows_add
	tests_build 2>&1 | grep -E 'error|warning' | head -n 20
	ASAN_OPTIONS=detect_leaks=0 "$work/unit" names. event. control. options. config. writer.every writer.keys writer.the_walk \
		writer.the_longest writer.ecs writer.no_ecs | grep -v '^ok '
}

# Of a choice and a measure: --help, the command line, what a mistake is answered, a file, and what is printed.
options_of_a_choice_and_a_measure_come_from_their_rows() {
	"$work/netlog" --help >"$work/help"
	grep -qF -e '      --drop-direction=LIST     drops on which way, as a,b (all)' "$work/help" || echo "--help has no choice"
	grep -qF -e '      --[not-]min-drop=US       no drop line below this, in microseconds (0)' "$work/help" ||
		echo "--help has no measure"
	equal "the end of --help" "$(grep -A 1 '^Events: ' "$work/help" | paste -s -d ' ')" \
		"Events: drop, retransmit, rtt, latency. Drop directions: ingress, egress. Latency stages: tcp, app, transport, qdisc."
	equal "what is set" "$("$work/netlog" --drop-direction=egress --min-drop=2ms --not-min-drop=3s |
		jq -c '[.["drop-direction", "min-drop", "not-min-drop", "latency-stage", "min-rtt"]]')" \
		'[["egress"],2000,3000000,["all"],0]'
	equal "a wrong value" "$("$work/netlog" --drop-direction=ingres)" \
		"--drop-direction: there is no direction 'ingres'; did you mean ingress? known are: ingress, egress, all"
	equal "a wrong option" "$("$work/netlog" --drop-directon=in)" \
		"there is no option --drop-directon=in; did you mean --drop-direction? see netlog --help"
	echo '{ "drop-direction": ["ingress", "egress"], "min-drop": "5us" }' >"$work/conf"
	"$work/netlog" -c "$work/conf" >"$work/printed"
	equal "what a file sets" "$(jq -c '[.["drop-direction", "min-drop"]]' "$work/printed")" '[["ingress","egress"],5]'
	equal "what is printed, read again" "$("$work/netlog" -c "$work/printed")" "$(cat "$work/printed")"
}

# EXPRESSION: can a program of the kernel side say that?
program_compiles() {
	cat >"$work/bpf/drop.bpf.c" <<-END
		#include "filter.bpf.h"
		int drop__receive(__u64 *ctx) { return $1; }
	END
	clang -fsyntax-only -g -O2 -target bpf -D__TARGET_ARCH_x86 -mcpu=v2 -std=gnu11 -Werror \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" "$work/bpf/drop.bpf.c" 2>"$work/log"
}

a_program_asks_what_has_a_row_and_nothing_else() {
	program_compiles "choice_wanted(drop, direction_ingress) && measure_wanted(drop, ctx[0])" || cat "$work/log"
	program_compiles "choice_wanted(rtt, 1)" && echo "rtt has no choice, and is asked for it"
	program_compiles "measure_wanted(retransmit, ctx[0])" && echo "retransmit measures nothing, and is asked for it"
}

a_source_too_many_does_not_compile() {
	sed -i 's/S(drop_reason,.*/S(drop_reason, __u32, named, 513, NO_NAMES) S(symbol, __u64, named, 512, NO_NAMES) \\/' \
		"$work/bpf/events.h"
	cc "${flags[@]}" -fsyntax-only src/schema/kind.c 2>"$work/log" && echo "names of 513 bytes are taken"
	grep -q 'drop_reason: recordings have room for no more' "$work/log" || cat "$work/log"
}

# filters NUMBER: the rows of so many more, which have a syntax that there is
filters() {
	local i rows=""
	for ((i = 0; i < $1; i++)); do
		rows+=" F(more_$i, \"more-$i\", pids, \"LIST\", \"another\")"
	done
	sed "s/^#define FILTERS(F)/&$rows/" bpf/filter.h >"$work/bpf/filter.h"
	cc "${flags[@]}" -fsyntax-only src/filter/filter.c src/settings/settings.c 2>"$work/log"
}

filters_are_rows_as_far_as_there_are_bits_and_then_it_is_said() {
	filters 2 || cat "$work/log"
	filters 3 && echo "more filters than bits are taken"
	grep -q 'a filter too many: two halves each, and the connection, are bits of a u32' "$work/log" || cat "$work/log"
}

run_checks the_same_tests_walk_a_third_and_a_fourth_source_of_names_and_far_numbers \
	options_of_a_choice_and_a_measure_come_from_their_rows \
	a_program_asks_what_has_a_row_and_nothing_else \
	a_source_too_many_does_not_compile \
	filters_are_rows_as_far_as_there_are_bits_and_then_it_is_said
