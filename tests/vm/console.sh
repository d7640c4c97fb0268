#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# console.sh FILE - does a kernel's console tell of harm? Prints the lines that do, as comments; exit 1 if any.
#
# Whatever netlog does there, it must never lead to one of these: a kernel that has printed it has a bug, and
# something has made it show.
set -u

[ -s "${1:?usage: console.sh FILE}" ] || {
	echo "# console: nothing is in $1"
	exit 1
}
harm='\bBUG\b|\bOops\b|\bWARNING\b|Kernel panic|suspicious RCU|soft lockup|hard LOCKUP|ex gen bug'
harm="$harm|general protection fault|[Uu]nable to handle|KASAN:|UBSAN:|double fault|stack guard page"
harm="$harm|refcount_t:|list_(add|del) corruption|bad page state|blocked for more than|self-detected stall|detected stalls on|waiting for [^ ]* to become free|recursive locking|scheduling while atomic"

found=$(tr -d '\r' <"$1" | grep -aE "$harm" | head -n 20)
[ -n "$found" ] || exit 0
echo "$found" | sed 's/^/# console: /'
exit 1
