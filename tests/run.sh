#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh [NAME...] - run all tests, or those whose file's name contains a NAME; the last line counts.
#
#   TEST=word    of live tests, only those whose names contain it
#   KEEP=1       the files of a failed live test stay, and it is said where
#   SANITIZE=1   live tests run build/asan/netlog; a test fails if a sanitizer finds anything
#   LANES=3      files that run at a time; one more than there are processors, since tests wait
#
# A test program prints `ok NAME`, `not ok NAME` or `skip NAME: why`, and `# ...` for what was seen.
# Live tests need root. Without it they are skipped and say so; under CI=true that is a failure.
#
# A file with a line `# alone: WHY` runs after all others, by itself, one with `# first: WHY` before them. Each file's
# output stays together, and the files are in the same order in every run.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/root.sh

results=$(mktemp -d) || exit 1
declare -A running=() # by pid: the file's number
trap 'rm -rf "$results"' EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

interrupted() { # STATUS
	trap '' INT TERM
	[ "${#running[@]}" = 0 ] || kill "${!running[@]}" 2>/dev/null
	wait
	exit "$1"
}

# Those whose names contain one of the NAMEs; all, if there is none
files_of() { # NAME...
	local file name
	for file in tests/unit/*_test.c tests/unit/*_test.sh tests/*_test.sh tests/bench/*_test.sh \
		tests/live/*_test.sh; do
		[ $# -gt 0 ] || echo "$file"
		for name in "$@"; do
			[[ $file != *"$name"* ]] || { echo "$file"; break; }
		done
	done
}

has_mark() { grep -q "^# $1: " "$2" 2>/dev/null; } # MARK FILE

# Run file number $1, as the whole of a subshell; one that ends badly without having said so has failed.
run() {
	local file=${files[$1]} one=$results/$1 began=$EPOCHREALTIME program status us
	local -a prefix=() arguments=()
	[[ $file != tests/live/* || $(id -u) = 0 ]] || prefix=(sudo)
	[[ $file != build/* ]] || arguments=("${unit[@]}")
	# sudo lets no variable through by itself
	"${prefix[@]}" env --default-signal=INT TEST="${TEST:-}" KEEP="${KEEP:-}" SANITIZE="${SANITIZE:-}" \
		"$file" "${arguments[@]}" >"$one.part" 2>&1 </dev/null &
	program=$!
	trap 'kill $program 2>/dev/null; wait $program; exit 1' INT TERM
	wait $program
	status=$?
	us=$((${EPOCHREALTIME/[.,]/} - ${began/[.,]/}))
	if [ $status -ne 0 ] && ! grep -q '^not ok ' "$one.part"; then
		echo "not ok $file: ended with status $status" >>"$one.part"
	fi
	times >"$one.times" # here: in a pipe, the times would be those of a process without children
	printf '%d.%d s, %.0f s of CPU\n' $((us / 1000000)) $((us / 100000 % 10)) \
		"$(sed -n '2{s/[ms]/ /g; p}' "$one.times" | awk '{ print $1 * 60 + $2 + $3 * 60 + $4 }')" >"$one.seconds"
	mv "$one.part" "$one"
}

# The output of those that have ended, up to the first that has not
show() {
	while [ -e "$results/$shown" ]; do
		echo "== ${files[$shown]} (file $((shown + 1)) of ${#files[@]}, $(cat "$results/$shown.seconds"))"
		cat "$results/$shown"
		shown=$((shown + 1))
	done
}

one_has_ended() {
	local pid
	wait -n "${!running[@]}"
	for pid in "${!running[@]}"; do
		if [ -e "$results/${running[$pid]}" ]; then
			unset "running[$pid]"
		elif ! kill -0 "$pid" 2>/dev/null; then
			echo "run.sh: what ran ${files[${running[$pid]}]} was killed" >&2
			exit 1
		fi
	done
	show
}

# Before anything runs: a name that picks nothing is a mistake.
for name in "$@"; do
	files_of "$name" | grep -q . || {
		echo "run.sh: no file of tests has $name in its name" >&2
		exit 2
	}
done

no_root=
if [ "$(id -u)" != 0 ]; then
	if ! can_be_root; then
		no_root="live tests need root, and there is no sudo"
	elif ! sudo -v; then
		no_root="live tests need root, and sudo refused"
	fi
fi

# All unit tests are one program, which is told of which files to run them.
unit=() first=() files=() last=()
for file in $(files_of "$@"); do # without a blank in their names
	if [[ $file = *.c ]]; then
		unit+=("$(basename "$file" _test.c).")
	elif has_mark alone "$file"; then
		last+=("$file")
	elif has_mark first "$file"; then
		first+=("$file")
	else
		files+=("$file")
	fi
done
files=("${first[@]}" "${files[@]}")
if [ ${#unit[@]} != 0 ]; then
	[ -x build/unit/tests ] || { echo "there is no build/unit/tests: make unit-tests builds it" >&2; exit 1; }
	files=(build/unit/tests "${files[@]}")
fi
together=${#files[@]}
files+=("${last[@]}")

shown=0
for i in "${!files[@]}"; do
	lanes=${LANES:-$(($(nproc) + 1))}
	[ "$i" -lt "$together" ] || lanes=1
	while [ "${#running[@]}" -ge "$lanes" ]; do
		one_has_ended
	done
	if [ -n "$no_root" ] && [[ ${files[$i]} = tests/live/* ]]; then
		echo "0 s" >"$results/$i.seconds"
		echo "skip ${files[$i]}: $no_root" >"$results/$i"
		continue
	fi
	run "$i" &
	running[$!]=$i
done
while [ "${#running[@]}" -gt 0 ]; do
	one_has_ended
done

show
count() { cat "$results"/* 2>/dev/null | grep -c "^$1 "; }
passed=$(count ok) failed=$(count "not ok") skipped=$(count skip)
if [ "$failed" -ne 0 ]; then
	echo
	for i in "${!files[@]}"; do
		grep '^not ok ' "$results/$i"
	done
fi
if [ "$((passed + failed + skipped))" = 0 ]; then
	echo "no test has ${TEST:-} in its name"
fi
if [ "${CI:-}" = true ] && [ "$skipped" -ne 0 ]; then
	echo "under CI=true nothing may be skipped"
	failed=$((failed + skipped))
	skipped=0
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
