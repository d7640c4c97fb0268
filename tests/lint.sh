#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lint.sh - what the tools say of the sources; a tool that is not installed is left out, and said.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

have() {
	command -v "$1" >/dev/null || {
		echo "lint: $1 is not installed: left out"
		return 1
	}
}

have clang-format &&
	{ clang-format --dry-run --Werror src/*.c src/*/*.[ch] bpf/*.[ch] tests/*/*.[ch] || status=1; }
have clang-tidy && {
	clang-tidy --quiet --warnings-as-errors='*' src/*.c src/*/*.c -- -std=gnu11 -D_GNU_SOURCE \
		-iquote src -iquote . -Ibuild -DNETLOG_VERSION='""' \
		$(pkg-config --cflags libbpf json-c libsystemd) 2>/dev/null || status=1
}
have cppcheck && {
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppress=missingIncludeSystem --suppress=memleak \
		 --suppress=unknownMacro -I src -I . src || status=1
}
have shellcheck && { shellcheck -x -S warning -e SC2154,SC2046,SC1087 tests/*.sh tests/*/*.sh examples/*.sh .ci/run || status=1; }
exit $status
