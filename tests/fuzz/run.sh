#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh SECONDS TARGET... - run fuzz targets of tests/fuzz for so many seconds each, as many at a time as there
# are processors; the last line counts. `make fuzz` builds them and runs this.
#
# New inputs go into build/fuzz/corpus, where the next run goes on from them, and one that fails into
# build/fuzz/failed. A few of the good ones are kept in tests/fuzz/corpus.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=build/fuzz

# Options of a line ` * options: ...` in the target's head
options_of() { sed -n 's/^ \* options: //p' "tests/fuzz/$1.c"; }

# Its output is of interest only if it fails: the last lines are libFuzzer's, and begin with what was found.
run() { # SECONDS TARGET
	local seconds=$1 target=$2 log=$work/$2.log new=$work/corpus/$2 began=$EPOCHSECONDS input program
	mkdir -p "$new" "$work/failed"
	# shellcheck disable=SC2046 # options are words
	"$work/$target" $(options_of "$target") -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 -len_control=0 \
		-print_final_stats=1 -artifact_prefix="$work/failed/$target-" "$new" "tests/fuzz/corpus/$target" \
		>"$log" 2>&1 </dev/null &
	program=$!
	trap 'kill $program; wait; exit 1' INT TERM
	wait $program && {
		echo "ok $target ($(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs," \
			"$((EPOCHSECONDS - began)) s)"
		return
	}
	input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
	grep -a '^# \|^#   \|ERROR: \|runtime error: \|^SUMMARY: ' "$log" | sed 's/^#* */# /' | cat -v
	echo "# all that it said: $log"
	[ -z "$input" ] || {
		echo "# its input: $input; again: $work/$target $input"
		# the file may be on a machine that is gone
		echo "# on another machine: base64 -d | gunzip >input; $work/$target input"
		gzip -9n <"$input" | base64 -w 120 | sed 's/^/#   /'
	}
	echo "not ok $target"
}

[ $# -ge 2 ] || {
	echo "usage: run.sh SECONDS TARGET..." >&2
	exit 2
}
seconds=$1
shift
results=$(mktemp -d) || exit 1
# Targets' own files are in memory, where there is any; one that crashes leaves them behind.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d) || exit 1
export TMPDIR
trap 'rm -rf "$results" "$TMPDIR"' EXIT
trap 'trap "" INT TERM; kill $(jobs -p) 2>/dev/null; wait; exit 1' INT TERM
for target in "$@"; do
	[ "$(jobs -pr | wc -l)" -lt "$(nproc)" ] || wait -n
	(run "$seconds" "$target" >"$results/$target" && cat "$results/$target") &
done
wait
failed=$(cat "$results"/* | grep -c '^not ok ')
echo "$# targets, $failed failed"
[ "$(cat "$results"/* | grep -c '^ok ')" = $# ]
