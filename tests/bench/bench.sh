#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# bench.sh - the cost of a line: time as ratios, and instructions.
set -eu
cd "$(dirname "$0")/../.."
build/bench/bench
for way in path netlog snprintf json-c; do
	echo "instructions | $way | $(tests/bench/instructions.sh $way) an event"
done
for flows in 10 100 10000 100000000; do
	echo "instructions | path, $flows flows instead of 1000 | $(tests/bench/instructions.sh path $flows) an event"
done
