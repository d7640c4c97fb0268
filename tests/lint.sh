#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lint.sh [format|tidy|cppcheck|shell|compilers]... - asks four tools about the sources, and whether either
# compiler builds them without a warning; all by default.
#
# A tool that is not installed is said, and is a failure: nobody has looked then. clang-tidy reads
# build/netlog.skel.h, which `make lint` makes first.
set -u
cd "$(dirname "$0")/.." || exit 1
sources=(src/*.c src/*/*.c)
headers=(src/*/*.h)
defines=(-std=gnu11 -D_GNU_SOURCE -DNETLOG_VERSION='""' -iquote src -iquote . -Ibuild)

have() {
	command -v "$1" >/dev/null || {
		echo "lint: $1 is not installed: make lint installs it"
		return 1
	}
}

format() {
	have clang-format || return
	clang-format --dry-run --Werror "${sources[@]}" "${headers[@]}" bpf/*.[ch] tests/*/*.[ch] && return
	case $(clang-format --version) in
	*" version 14."*) ;;
	*) echo "lint: the sources are as clang-format 14 lays them out; this is $(clang-format --version)" ;;
	esac
	return 1
}

# A process for each file, as many at a time as there are processors; its output is shown if it fails.
tidy() {
	have clang-tidy || return
	[ -e build/netlog.skel.h ] || {
		echo "lint: no build/netlog.skel.h: make lint makes it"
		return 1
	}
	printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c '
		said=$(clang-tidy --quiet --warnings-as-errors="*" "${@: -1}" -- "${@:1:$#-1}" 2>&1) || {
			echo "$said"
			exit 1
		}' tidy "${defines[@]}" $(pkg-config --cflags libbpf json-c libsystemd)
}

cppcheck_() {
	have cppcheck || return
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppress=missingIncludeSystem --suppress=memleak \
		--suppress=unknownMacro -I src -I . src
}

shell() {
	have shellcheck || return
	shellcheck -x -S warning -e SC2154,SC2046,SC1087 tests/*.sh tests/*/*.sh examples/*.sh tests/pre-commit .ci/run
}

compilers() {
	local compiler status=0
	for compiler in gcc clang; do
		have $compiler || return
		env --unset=MAKEFLAGS make --silent --jobs="$(nproc)" CI=true CC=$compiler BUILD=build/$compiler all tools \
			>build/$compiler.log 2>&1 && continue
		sed "s/^/$compiler: /" build/$compiler.log
		status=1
	done
	return $status
}

status=0
[ $# -gt 0 ] || set -- format tidy cppcheck shell compilers
for tool in "$@"; do
	case $tool in
	format | tidy | shell | compilers) "$tool" || status=1 ;;
	cppcheck) cppcheck_ || status=1 ;;
	*)
		echo "usage: lint.sh [format|tidy|cppcheck|shell|compilers]..." >&2
		exit 2
		;;
	esac
done
[ $status -eq 0 ] && echo "lint: ok ($*)"
exit $status
