#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The house's own rules: who may include whom, licences, documents that are up to date, builds
# without a warning, installing and cleaning.
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# check NAME COMMAND...: the command prints what is wrong, and nothing if all is well
check() {
	local name=$1 seen
	shift
	seen=$("$@" 2>&1)
	if [ -z "$seen" ]; then
		echo "ok $name"
	else
		while IFS= read -r line; do echo "# $line"; done <<<"$seen"
		echo "not ok $name"
		failed=1
	fi
}

# The layers, from the top; a file may include headers of lower layers, and those of its own name.
# What has no row may be included by all, and includes none but its like.
layer() {
	case $1 in
	main) echo 12 ;;
	daemon) echo 11 ;;
	reload) echo 10 ;;
	delivery) echo 9 ;;
	report) echo 8 ;;
	service) echo 7 ;;
	lines | options) echo 6 ;;
	probe | settings) echo 5 ;;
	config | sink_stream) echo 4 ;; # files are streams
	sink_*) echo 5 ;;
	output | encode | schema) echo 3 ;;
	control) echo 2 ;;
	event) echo 1 ;;
	log | util | text | clock | capability | signals) echo 0 ;;
	*) echo "$1 has no layer: give it one in tests/unit/house_test.sh" >&2 ;;
	esac
}

includes_point_down_only() {
	for file in src/*.[ch]; do
		own=$(basename "$file" | sed 's/\..*//')
		for header in $(sed -n 's/^#include "\(.*\)\.h"$/\1/p' "$file"); do
			case $header in
			"$own" | ../bpf/*) continue ;; # see the next test
			netlog.skel) continue ;;
			esac
			from=$(layer "$own")
			to=$(layer "$header")
			[ "$from" -gt "$to" ] || [ "$from$to" = 00 ] ||
				echo "$file (layer $from) includes $header.h (layer $to)"
		done
	done
}

# only PATTERN FILES...: nobody but these files may include what the pattern matches
only() {
	local pattern=$1
	shift
	grep -lE "^#include [<\"]$pattern" src/*.[ch] | while read -r file; do
		case " $* " in
		*" $(basename "$file") "*) ;;
		*) echo "$file includes $pattern" ;;
		esac
	done
}

libraries_stay_where_they_belong() {
	only 'bpf/' probe.c
	only 'netlog.skel' probe.c
	only '\.\./bpf/config' probe.c
	only '\.\./bpf/events' event.h
	only 'systemd/' daemon.c delivery.h service.c sink_journald.c
	only 'json-c/' control.h config.c
}

# json-c stays out of the way of an event: none of these may even see its header
the_hot_path_is_free_of_json_c() {
	for file in encode event text output sink_stream sink_file; do
		cc -std=gnu11 -D_GNU_SOURCE -M -Ibuild "src/$file.c" | grep -q json && echo "src/$file.c"
	done
}

every_file_names_its_licence() {
	for file in Makefile .ci/run $(find src bpf tests examples -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \
		-o -name '*.8'); do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause' || echo "$file"
	done
	grep -q '"Dual BSD/GPL"' bpf/netlog.bpf.h || echo "the BPF object's licence"
}

the_readme_tables_are_current() {
	cp README.md "$work/README.md"
	examples/fields.sh build/netlog "$work/README.md"
	diff README.md "$work/README.md"
}

# The options, word for word, and every exit status that main.c can end with
the_readme_and_the_man_page_have_all_options_and_statuses() {
	build/netlog --help | grep '^  *-' | while IFS= read -r line; do
		grep -qF -e "${line#  }" README.md || echo "README.md lacks: $line"
		long=$(grep -o -e '--[a-z-]*' <<<"$line" | head -n 1 | sed 's/-/\\\\-/g')
		grep -q -e "$long" src/man/netlog.8 || echo "netlog.8 lacks: $line"
	done
	for status in 0 1 2 $(build/netlog --help | sed -n '/Exit status/,$p' | grep -o '[67][0-9]'); do
		grep -q "^| $status |" README.md || echo "README.md lacks status $status"
		grep -q "^\.B $status\$" src/man/netlog.8 || echo "netlog.8 lacks status $status"
	done
	for name in $(grep -o 'EX_[A-Z]*' src/main.c | sort -u); do
		number=$(sed -n "s/^#define $name[^0-9]*\([0-9]*\).*/\1/p" /usr/include/sysexits.h)
		build/netlog --help | grep -q "$number " || echo "--help lacks $name ($number)"
	done
}

gcc_and_clang_build_it_without_a_warning() {
	for compiler in gcc clang; do
		make -s CI=true CC=$compiler BUILD="$work/$compiler" all tools >"$work/log" 2>&1 ||
			sed "s/^/$compiler: /" "$work/log"
	done
}

install_puts_it_in_place_and_uninstall_takes_it_away() {
	make -s install PREFIX=/usr DESTDIR="$work/root" >/dev/null || echo "install failed"
	[ -x "$work/root/usr/sbin/netlog" ] || echo "no netlog"
	[ -f "$work/root/usr/share/man/man8/netlog.8" ] || echo "no man page"
	"$work/root/usr/sbin/netlog" --version | grep -qx 'netlog [0-9.]*' || echo "no version"
	make -s uninstall PREFIX=/usr DESTDIR="$work/root" >/dev/null || echo "uninstall failed"
	find "$work/root" -type f
}

missing_tools_are_named_for_apt_and_dnf() {
	make -s BUILD="$work/none" CLANG=no-such-clang BPFTOOL=no-such >"$work/log" 2>&1 &&
		echo "it was built without clang"
	grep -q '^netlog: clang 14 or newer, for BPF is missing: apt-get install clang, or dnf install clang$' \
		"$work/log" || cat "$work/log"
	[ "$(grep -c '^netlog:' "$work/log")" = 1 ] || cat "$work/log"
}

clean_leaves_nothing() {
	mkdir "$work/tree"
	cp -r Makefile bpf src tests "$work/tree"
	make -s -C "$work/tree" build/wire >/dev/null || echo "build failed"
	make -s -C "$work/tree" clean
	[ ! -e "$work/tree/build" ] || echo "build/ is still there"
}

check includes_point_down_only includes_point_down_only
check libraries_stay_where_they_belong libraries_stay_where_they_belong
check the_hot_path_is_free_of_json_c the_hot_path_is_free_of_json_c
check every_file_names_its_licence every_file_names_its_licence
check the_readme_tables_are_current the_readme_tables_are_current
check the_readme_and_the_man_page_have_all_options_and_statuses \
	the_readme_and_the_man_page_have_all_options_and_statuses
check gcc_and_clang_build_it_without_a_warning gcc_and_clang_build_it_without_a_warning
check install_puts_it_in_place_and_uninstall_takes_it_away \
	install_puts_it_in_place_and_uninstall_takes_it_away
check missing_tools_are_named_for_apt_and_dnf missing_tools_are_named_for_apt_and_dnf
check clean_leaves_nothing clean_leaves_nothing
exit $failed
