# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# judge.sh - sourced by the tests here: what a VM's scenes have kept (see scenes.sh), as $KEPT.
KEPT=$(realpath "${KEPT:?the directory that a VM has left: see run.sh}") || exit 1
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"
# shellcheck disable=SC2034 # read in lib.sh
kernel=$(cat "$KEPT/release")

# shellcheck disable=SC2034 # read in the tests
pairs="veth virtio" # what joins two hosts

# lines_of NETLOG: its lines are $lines from now on
lines_of() {
	lines=$KEPT/lines.$1
	[ -s "$lines" ] || fail "no lines of $1: $(cat "$KEPT/netlog.$1" "$KEPT/failed" 2>/dev/null)"
}

# scene NAME [FILE]: its account is $truth from now on
scene() {
	truth=$KEPT/$1/${2:-truth}
	[ -s "$truth" ] && [ ! -e "$KEPT/$1/failed" ] ||
		fail "scene $1: $(cat "$KEPT/$1/failed" "$KEPT/failed" 2>/dev/null)"
}

# serves NETLOG HOOK: it does there
serves() {
	lines_of "$1"
	head -n 1 "$lines" | jq -e --arg hook "$2" 'any(.hooks[]; .hook == $hook and (has("error") | not))' \
		>/dev/null || fail "$1: $2 does not serve: $(head -n 1 "$lines")"
}
