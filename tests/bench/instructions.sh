#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# instructions.sh WAY [FLOWS] - instructions in user space that bench's WAY takes for an event.
#
# Callgrind counts them, so they are the same on a busy machine. The count is the difference between a
# longer and a shorter run: both start and make flows alike. Making the records is counted by itself and
# taken off.
set -eu
cd "$(dirname "$0")/../.."
[ -x build/bench/bench ] || { echo "there is no build/bench/bench: make build/bench/bench builds it" >&2; exit 1; }
few=5000
many=25000

count() { # WAY EVENTS FLOWS
	log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null build/bench/bench "$@" 2>&1) || {
		echo "$log" >&2
		exit 1
	}
	echo "$log" | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

of() { # WAY FLOWS
	a=$(count "$1" $few "$2")
	b=$(count "$1" $many "$2")
	echo $(((b - a) / (many - few)))
}

flows=${2:-1000}
echo $(($(of "$1" "$flows") - $(of records "$flows")))
