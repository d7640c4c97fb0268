#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# tests/vm/console.sh finds what tells of harm in a kernel's console, and nothing else.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0

told() { # NAME WANTED LINE...: the status that console.sh ends with
	local name=$1 wanted=$2 status
	shift 2
	printf '[    1.234567] %s\r\n' "$@" >"$work"
	tests/vm/console.sh "$work" >"$work.said"
	status=$?
	if [ $status = "$wanted" ] && [ "$(grep -c '^# console: ' "$work.said")" = "$wanted" ]; then
		echo "ok $name"
	else
		sed 's/^/# /' "$work.said"
		echo "not ok $name"
		failed=1
	fi
}

work=$(mktemp) || exit 1
trap 'rm -f "$work" "$work.said"' EXIT
while IFS='|' read -r name line; do
	told "the_console_tells_of_$name" 1 "a line before it" "$line" "a line behind it"
done <<-'END'
	a_bug|BUG: kernel NULL pointer dereference, address: 0000000000000060
	a_bug_of_a_driver|kernel BUG at mm/slub.c:321!
	an_oops|Oops: 0000 [#1] SMP NOPTI
	a_warning|WARNING: CPU: 0 PID: 1 at kernel/bpf/verifier.c:1234 check+0x1/0x2
	a_panic|Kernel panic - not syncing: Fatal exception in interrupt
	a_lockup|watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [netlog:1]
	a_table_that_is_too_small|ex gen bug
	suspicious_rcu|suspicious RCU usage
	a_protection_fault|general protection fault, probably for non-canonical address 0xdead: 0000
	a_hung_task|INFO: task netlog:1 blocked for more than 120 seconds.
	a_stall|rcu: INFO: rcu_sched self-detected stall on CPU
	a_device_that_is_kept|unregister_netdevice: waiting for gone0 to become free. Usage count = 2
	a_lock_taken_twice|WARNING: possible recursive locking detected
	a_broken_list|list_del corruption. prev->next should be x, but was y
	a_broken_count|refcount_t: underflow; use-after-free.
END
told a_healthy_console_tells_of_no_harm 0 "Unstable clock detected, switching default tracing clock to \"global\"" \
	"acpi PNP0A03:00: fail to add MMCONFIG information" "debug: no bug here" "wire0: warnings are off"
printf '' >"$work"
if tests/vm/console.sh "$work" >/dev/null || tests/vm/console.sh "$work.none" >/dev/null 2>&1; then
	echo "not ok a_console_that_says_nothing_is_no_proof"
	failed=1
else
	echo "ok a_console_that_says_nothing_is_no_proof"
fi
exit $failed
