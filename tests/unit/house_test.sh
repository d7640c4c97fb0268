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

# equal WHAT A B
equal() {
	[ "$2" = "$3" ] || echo "$1: $2, not $3"
}

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
		grep -v ':bpf/\|:netlog\.skel\.h$')
}

# only PATTERN FILES...: nobody but these files may include what the pattern matches
only() {
	local pattern=$1
	shift
	grep -lE "^#include [<\"]$pattern" src/*.c src/*/*.[ch] | while read -r file; do
		case " $* " in
		*" ${file#src/} "*) ;;
		*) echo "$file includes $pattern" ;;
		esac
	done
}

libraries_stay_where_they_belong() {
	only 'bpf/(lib)?b[pt]f' kernel/ladder.c kernel/probe.c
	only 'netlog.skel' kernel/ladder.c kernel/probe.c
	only 'bpf/config' kernel/ladder.c kernel/probe.c
	only 'bpf/events' schema/event.h
	only 'bpf/filter' filter/half.h
	only 'bpf/sample' kernel/probe.c
	only 'systemd/' run/daemon.c run/delivery.h run/service.c output/sink_journald.c
	only 'json-c/' schema/control.h settings/file.c
}

# json-c stays out of the way of an event: none of these may even see its header
the_hot_path_is_free_of_json_c() {
	for file in line/encode schema/event host/names base/text output/output output/sink_stream \
		output/sink_file; do
		cc -std=gnu11 -D_GNU_SOURCE -M -iquote src -iquote . "src/$file.c" >"$work/headers" ||
			echo "src/$file.c: its headers cannot be seen"
		grep -q json "$work/headers" && echo "src/$file.c"
	done
}

every_file_names_its_licence() {
	for file in Makefile .ci/run systemd/* $(find src bpf tests examples -name '*.[ch]' -o -name '*.sh' \
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

# The options, word for word, and every exit status that main.c can end with
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

# files DIRECTORY: all of them, with the mode
files() { find "$1" -type f -printf '%m %P\n' | sort -k 2; }

install_puts_it_in_place_and_uninstall_takes_it_away() {
	make -s install PREFIX=/usr DESTDIR="$work/root" >/dev/null || echo "install failed"
	diff - <(files "$work/root") <<-END
		644 etc/logrotate.d/netlog
		644 etc/netlog/netlog.conf
		644 usr/lib/systemd/catalog/netlog.catalog
		644 usr/lib/systemd/system-preset/80-netlog.preset
		644 usr/lib/systemd/system/netlog.service
		644 usr/lib/sysusers.d/netlog.conf
		755 usr/sbin/netlog
		644 usr/share/man/man8/netlog.8
	END
	"$work/root/usr/sbin/netlog" --version | grep -qx 'netlog [0-9.]*' || echo "no version"
	grep -qx 'ExecStart=/usr/sbin/netlog .*/etc/netlog/netlog.conf' \
		"$work/root/usr/lib/systemd/system/netlog.service" || echo "the unit has other paths"
	! grep -r '@[A-Z]*DIR@' "$work/root/usr/lib"
	make -s uninstall PREFIX=/usr DESTDIR="$work/root" || echo "uninstall failed"
	files "$work/root"
}

a_configuration_that_was_changed_stays() {
	local conf=$work/mine/etc/netlog/netlog.conf
	mkdir -p "${conf%/*}"
	echo '{ "events": ["rtt"] }' >"$conf"
	for action in install uninstall; do
		make -s $action PREFIX=/usr DESTDIR="$work/mine" >"$work/said" || echo "$action failed"
		grep -q "^netlog: $conf .*stays$" "$work/said" || echo "$action says nothing of it"
	done
	equal "what stays" "$(files "$work/mine")" "644 etc/netlog/netlog.conf"
	equal "what it says" "$(cat "$conf")" '{ "events": ["rtt"] }'
}

# Where the program really is, as systemd looks for it.
the_unit_is_understood_and_well_hardened() {
	make -s install PREFIX="$work/usr" SYSCONFDIR="$work/etc" >/dev/null || echo "install failed"
	local unit=$work/usr/lib/systemd/system/netlog.service
	systemd-analyze verify --man=no "$unit"
	systemd-analyze security --offline=yes --no-pager --threshold=16 "$unit" >"$work/exposure" ||
		tail -n 1 "$work/exposure"
}

message_ids() { grep -oh '"[0-9a-f]\{32\}"' bpf/events.h src/schema/control.h | tr -d '"'; }

the_catalog_explains_each_message() {
	mkdir -p "$work/catalog/usr/lib/systemd/catalog"
	cp systemd/netlog.catalog "$work/catalog/usr/lib/systemd/catalog"
	journalctl --root="$work/catalog" --update-catalog
	diff <(journalctl --root="$work/catalog" --list-catalog | cut -d ' ' -f 1-2 | sort) \
		<(message_ids | sed 's/$/ netlog:/' | sort)
}

logrotate_understands_its_rules() {
	mkdir "$work/rotated"
	echo "{}" >"$work/rotated/netlog.jsonl"
	sed "s|/var/log/netlog|$work/rotated|; s/netlog adm/$(id -un) $(id -gn)/" systemd/netlog.logrotate \
		>"$work/logrotate.conf"
	logrotate -d -s "$work/logrotate.state" "$work/logrotate.conf" >"$work/rotated.said" 2>&1 ||
		cat "$work/rotated.said"
	grep -i error "$work/rotated.said"
	grep -q "^considering log $work/rotated/netlog.jsonl" "$work/rotated.said" || cat "$work/rotated.said"
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
check a_configuration_that_was_changed_stays a_configuration_that_was_changed_stays
check the_unit_is_understood_and_well_hardened the_unit_is_understood_and_well_hardened
check the_catalog_explains_each_message the_catalog_explains_each_message
check logrotate_understands_its_rules logrotate_understands_its_rules
check missing_tools_are_named_for_apt_and_dnf missing_tools_are_named_for_apt_and_dnf
check clean_leaves_nothing clean_leaves_nothing
exit $failed
