#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh [NAME...] - run all tests, or those whose file's name contains a NAME; the last line counts.
#
#   TEST=word    of live tests, only those whose names contain it
#   KEEP=1       what a failed live test had in its directory stays, and it is said where
#   SANITIZE=1   live tests run build/asan/netlog; what a sanitizer finds fails the test
#
# A test program prints `ok NAME`, `not ok NAME` or `skip NAME: why`, and `# ...` for what was seen.
# Live tests need root. Without it they are skipped and say so; under CI=true that is a failure.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/root.sh

results=$(mktemp) || exit 1
trap 'rm -f "$results"' EXIT

wanted() { # file
	[ "$#" -gt 1 ] || return 0
	file=$1
	shift
	for name in "$@"; do
		case $file in
		*"$name"*) return 0 ;;
		esac
	done
	return 1
}

# Run one test program; one that ends badly without having said so has failed.
run() {
	began=$(date +%s)
	"$@" >"$results.one" 2>&1
	status=$?
	if [ $status -ne 0 ] && ! grep -q '^not ok ' "$results.one"; then
		echo "not ok $file: ended with status $status" >>"$results.one"
	fi
	cat "$results.one"
	cat "$results.one" >>"$results"
	rm -f "$results.one"
	echo "== $(($(date +%s) - began)) s"
}

if [ "$(id -u)" = 0 ]; then
	why=
elif ! can_be_root; then
	why="live tests need root, and there is no sudo"
elif ! sudo -v; then
	why="live tests need root, and sudo refused"
else
	why=
fi

# sudo lets no variable through by itself
run_live() {
	if [ -z "$why" ]; then
		run as_root env TEST="${TEST:-}" KEEP="${KEEP:-}" SANITIZE="${SANITIZE:-}" "$file"
	elif [ "${CI:-}" = true ]; then
		echo "not ok $file: $why (and CI=true)" | tee -a "$results"
	else
		echo "skip $file: $why" | tee -a "$results"
	fi
}

# All unit tests are one program, which is told of which files to run them.
unit=
for file in tests/unit/*_test.c; do
	! wanted "$file" "$@" || unit="$unit $(basename "$file" _test.c)."
done
files=
for file in tests/unit/*_test.sh tests/build_test.sh tests/bench/*_test.sh tests/live/*_test.sh; do
	! wanted "$file" "$@" || files="$files $file"
done

# shellcheck disable=SC2086 # no name has a space
set -- ${unit:+build/unit/tests} $files
nth=0
for file in "$@"; do
	nth=$((nth + 1))
	echo "== file $nth of $#: $file"
	case $file in
	build/*) run "$file" $unit ;;
	tests/live/*) run_live ;;
	*) run "$file" ;;
	esac
done

passed=$(grep -c '^ok ' "$results")
failed=$(grep -c '^not ok ' "$results")
skipped=$(grep -c '^skip ' "$results")
if [ "$failed" -ne 0 ]; then
	echo
	grep '^not ok ' "$results"
fi
if [ "${CI:-}" = true ] && [ "$skipped" -ne 0 ]; then
	echo "under CI=true nothing may be skipped"
	failed=$((failed + skipped))
	skipped=0
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
