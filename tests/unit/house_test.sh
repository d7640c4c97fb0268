#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The house's own rules: who may include whom, licences, documents that are up to date. Nothing is
# built here, and nothing needs root.
set -u
. "$(dirname "$0")/../check.sh"

# The floors of src/, from the ground. A file includes headers of its own folder and of lower floors:
# never upwards, and never sideways. The bpf/ side is for the next test.
declare -A floor=([base]=1 [schema]=2 [host]=3 [line]=4 [filter]=4 [output]=4 [settings]=5 [kernel]=5
	[run]=6 [main]=7)

includes_point_down_only() {
	local file header from to
	while IFS=: read -r file header; do
		from=${file#src/} from=${from%%[/.]*} to=${header%%/*}
		[ "$from" = "$to" ] || [ "${floor[$to]-8}" -lt "${floor[$from]-0}" ] ||
			echo "$file includes $header"
	done < <(grep -Eo '^#include "[^"]+' src/*.c src/*/*.[ch] | sed 's/#include "//' |
		grep -v ':bpf/\|:[a-z]*\.skel\.h$')
}

# only PATTERN FILES...: no file but these, or those of a folder/, may include a header that matches
only() {
	local pattern=$1
	shift
	grep -lE "^#include [<\"]$pattern" src/*.c src/*/*.[ch] | while read -r file; do
		file=${file#src/}
		case " $* " in
		*" $file "* | *" ${file%%/*}/ "*) ;;
		*) echo "src/$file includes $pattern" ;;
		esac
	done
}

libraries_stay_where_they_belong() {
	only 'bpf/(lib)?b[pt]f' kernel/
	only '[a-z]*\.skel' kernel/
	only 'bpf/config' kernel/
	only 'bpf/events' schema/kind.h
	only 'bpf/filter' filter/half.h filter/address.c filter/recorded.c filter/contradiction.c filter/ends.c
	only 'bpf/sample' kernel/
	only 'systemd/' run/daemon.c run/delivery.h run/pump.h run/refilter.h run/service.c run/timer.h output/sink_journald.c
	only 'json-c/' schema/json.h settings/file.c
}

# json-c stays out of the way of an event: none of these may even see its header
the_hot_path_is_free_of_json_c() {
	for file in line/writer line/format_flat line/format_ecs run/makers schema/event schema/kind host/names base/text output/output output/sink output/sink_stream \
		output/sink_file; do
		cc -std=gnu11 -D_GNU_SOURCE -M -iquote src -iquote . "src/$file.c" >"$work/headers" ||
			echo "src/$file.c: its headers cannot be seen"
		grep -q json "$work/headers" && echo "src/$file.c"
	done
}

# bpf/arguments.h has each argument's name, and whether it may be NULL. An fexit program finds its function's
# result behind the last one.
arguments_of_hooks_are_taken_by_their_names() {
	grep -n 'ctx\[[0-9]' bpf/*.bpf.[ch] | grep -v '(__u8)ctx\[6\]'
	grep -nE 'ARGUMENT\([a-z0-9_]+, [a-z0-9_]+_or_null\)' bpf/*.bpf.c |
		sed 's/$/ is read, which not every kernel knows to be NULL: by a raw_tp only/'
}

every_file_names_its_licence() {
	for file in Makefile .ci/run tests/pre-commit systemd/* $(find src bpf tests examples -name '*.[ch]' -o -name '*.sh' \
		-o -name '*.py' -o -name '*.8'); do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' || echo "$file"
	done
	grep -q '"Dual BSD/GPL"' bpf/state.bpf.h || echo "the BPF object's licence"
}

the_readme_tables_are_current() {
	cp README.md "$work/README.md"
	examples/fields.sh build/netlog "$work/README.md"
	diff README.md "$work/README.md"
}

# The options, word for word, and every exit status that netlog can end with
the_readme_and_the_man_page_have_all_options_and_statuses() {
	build/netlog --help | grep '^  *-' | while IFS= read -r line; do
		grep -qF -e "${line#  }" README.md || echo "README.md lacks: $line"
		for twin in "" not-; do # where it has one
			long=$(sed "s/\\[not-\\]/$twin/" <<<"$line" | grep -o -e '--[a-z-]*' | head -n 1 |
				sed 's/-/\\\\-/g')
			grep -q -e "$long\\>" src/man/netlog.8 || echo "netlog.8 lacks: $long"
		done
	done
	for status in 0 1 2 $(build/netlog --help | sed -n '/Exit status/,$p' | grep -o '[67][0-9]'); do
		grep -q "^| $status |" README.md || echo "README.md lacks status $status"
		grep -q "^\.B $status\$" src/man/netlog.8 || echo "netlog.8 lacks status $status"
	done
	for name in $(grep -ho 'EX_[A-Z]*' src/main.c src/run/attach.c | sort -u); do
		number=$(sed -n "s/^#define $name[^0-9]*\([0-9]*\).*/\1/p" /usr/include/sysexits.h)
		build/netlog --help | grep -q "$number " || echo "--help lacks $name ($number)"
	done
}

# All that src/README.md names exists: functions and macros, as `name()`, and files
the_guide_names_what_there_is() {
	local word
	for word in $(grep -oE '`[a-z_A-Z]+\(' src/README.md | tr -d '`(' | sort -u); do
		grep -qE "(^|[^a-z_])$word\(" -r src bpf --include='*.[ch]' || echo "there is no $word()"
	done
	for word in $(grep -oE '[a-z]+/[a-z_0-9/]+\.(bpf\.[ch]|[ch8]|sh|catalog)' src/README.md | sort -u); do
		[ -e "$word" ] || [ -e "src/$word" ] || [ "$word" = bpf/ended.bpf.c ] || # its example
			echo "there is no $word"
	done
	for word in src/*/; do
		word=${word#src/}
		[ "$word" = man/ ] || grep -q "\<$word" src/README.md || echo "it does not know $word"
	done
}

run_checks includes_point_down_only libraries_stay_where_they_belong the_hot_path_is_free_of_json_c \
	arguments_of_hooks_are_taken_by_their_names \
	every_file_names_its_licence the_readme_tables_are_current \
	the_readme_and_the_man_page_have_all_options_and_statuses the_guide_names_what_there_is
