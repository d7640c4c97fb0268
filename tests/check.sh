# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# check.sh - sourced by tests of files: a check is a function that prints complaints.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# equal WHAT A B
equal() {
	[ "$2" = "$3" ] || echo "$1: $2, not $3"
}

# run_checks NAME...: those that print nothing are ok
run_checks() {
	local name seen failed=0
	for name in "$@"; do
		seen=$("$name" 2>&1)
		if [ -z "$seen" ]; then
			echo "ok $name"
		else
			while IFS= read -r line; do echo "# $line"; done <<<"$seen"
			echo "not ok $name"
			failed=1
		fi
	done
	exit $failed
}
