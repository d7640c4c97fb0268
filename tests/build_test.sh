#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Installing and cleaning, and what runs the tests; systemd and logrotate accept the files that are
# installed.
set -u
. "$(dirname "$0")/check.sh"

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
	sed "s|/var/log/netlog|$work/rotated|; s/netlog netlog/$(id -un) $(id -gn)/" systemd/netlog.logrotate \
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

# The unit tests' own main(), with tests that fail in three ways
the_unit_tests_runner_tells_failures() {
	cat >"$work/odd_test.c" <<-'END'
		#include <signal.h>
		#include "test.h"
		TEST(good) { puts("not shown as a result"); }
		TEST(bad) { CHECK_EQUAL(1 + 1, 3); }
		TEST(crash) { raise(SIGSEGV); }
		TEST(leaves) { exit(3); }
	END
	cc -std=gnu11 -D_GNU_SOURCE -Itests/unit tests/unit/main.c "$work/odd_test.c" -o "$work/odd" || return
	"$work/odd" >"$work/said" && echo "failures go unnoticed"
	diff - <(grep -E '^(not )?ok' "$work/said" | sed 's/ ([0-9.]* s)$//' | sort) <<-END
		not ok odd.bad
		not ok odd.crash
		not ok odd.leaves
		ok odd.good
	END
	grep -q '#   1 + 1 = 2, 3 = 3' "$work/said" || echo "it does not say what was seen"
	"$work/odd" odd.good >"$work/said" || echo "a good test alone fails"
	equal "results of one test" "$(grep -c 'ok odd' "$work/said")" 1
	"$work/odd" no-such >"$work/said" 2>&1 && echo "a name that is none passes"
}

# live [NAME=VALUE...]: $work/live.sh, with lib.sh as the live tests have it; it needs no root. Such
# variables of ours are not for it.
live() { env TEST= KEEP= SANITIZE= TMPDIR="$work" "$@" bash "$work/live.sh" >"$work/said"; }

a_failed_live_test_keeps_what_it_had_if_asked() {
	cat >"$work/live.sh" <<-END
		. "$PWD/tests/live/lib.sh"
		test_bad() { echo seen >"\$work/evidence"; fail "as it should"; }
		test_good() { :; }
		run_tests
	END
	live KEEP=1
	local kept
	kept=$(sed -n 's/^# kept: //p' "$work/said")
	[ "$(cat "$kept/evidence")" = seen ] || cat "$work/said"
	rm -rf "${kept%/*}"
	live
	grep kept "$work/said"
	find "$work" -name evidence
}

a_sanitizers_report_fails_a_live_test() {
	cat >"$work/live.sh" <<-END
		. "$PWD/tests/live/lib.sh"
		test_bad() { echo "heap-use-after-free" >"\$reports/asan.1"; }
		test_good() { :; }
		run_tests
	END
	live SANITIZE=1
	equal "what is said" "$(cat "$work/said")" "# heap-use-after-free
not ok bad
ok good"
}

# A clone in which only `make` has been called, and a name that picks nothing
tests_that_cannot_run_say_what_to_do() {
	mkdir -p "$work/bare/build"
	cp -r tests "$work/bare"
	touch "$work/bare/build/netlog" && chmod +x "$work/bare/build/netlog"
	(
		cd "$work/bare" || exit
		sed -i 's/^why_not_here() {/&\n\treturn/' tests/live/lib.sh # root is not asked for
		tests/live/owner_test.sh >said 2>&1 && echo "owner_test.sh passes without its tools"
		tool=$(basename "$(find tests/live -name '*.c' ! -name '*.bpf.c' ! -name tool.c | sort | head -n 1)" .c)
		diff said - <<<"# there is no build/$tool: make tools builds it"
		tests/run.sh unit/ >said 2>&1 && echo "unit tests pass that are not there"
		diff said - <<<"there is no build/unit/tests: make unit-tests builds it"
		tests/run.sh unit/house no-such >said 2>&1 && echo "a name that picks nothing passes"
		diff said - <<<"run.sh: no file of tests has no-such in its name"
	)
}

run_checks the_unit_tests_runner_tells_failures a_failed_live_test_keeps_what_it_had_if_asked \
	a_sanitizers_report_fails_a_live_test \
	install_puts_it_in_place_and_uninstall_takes_it_away a_configuration_that_was_changed_stays \
	the_unit_is_understood_and_well_hardened the_catalog_explains_each_message \
	logrotate_understands_its_rules missing_tools_are_named_for_apt_and_dnf clean_leaves_nothing \
	tests_that_cannot_run_say_what_to_do
