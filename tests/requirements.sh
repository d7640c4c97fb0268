#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# requirements.sh check GROUP...     say what is missing, one line each; exit 1 if anything is
# requirements.sh install GROUP...   install what is missing, with sudo where it is needed
#
# Groups: build, check, lint, demo, test, fuzz, bench, vm.
set -u
. "$(dirname "$0")/root.sh"

# group | what | how to know | package for apt | package for dnf
requirements() {
	cat <<-END
	build|a C compiler|command ${CC:-cc}|gcc|gcc
	build|the C library (headers)|header stdio.h|libc6-dev|glibc-devel
	build|make|command make|make|make
	build|clang 14 or newer, for BPF|clang 14|clang|clang
	build|bpftool|command bpftool|bpftool|bpftool
	build|pkg-config|command pkg-config|pkg-config|pkgconf-pkg-config
	build|libbpf 1.1 or newer|library libbpf 1.1|libbpf-dev|libbpf-devel
	build|json-c 0.15 or newer|library json-c 0.15|libjson-c-dev|json-c-devel
	build|libsystemd 248 or newer|library libsystemd 248|libsystemd-dev|systemd-devel
	demo|ip|command ip|iproute2|iproute
	demo|jq|command jq|jq|jq
	demo|nsenter and setpriv|command setpriv|util-linux|util-linux
	check|clang-format|command clang-format|clang-format|clang-tools-extra
	check|jq|command jq|jq|jq
	check|names of services|file /etc/services|netbase|setup
	check|AddressSanitizer|sanitizer address|gcc|libasan
	check|UndefinedBehaviorSanitizer|sanitizer undefined|gcc|libubsan
	lint|clang-format|command clang-format|clang-format|clang-tools-extra
	lint|clang-tidy|command clang-tidy|clang-tidy|clang-tools-extra
	lint|cppcheck|command cppcheck|cppcheck|cppcheck
	lint|shellcheck|command shellcheck|shellcheck|ShellCheck
	test|git|command git|git|git
	test|gcc|command gcc|gcc|gcc
	test|ip|command ip|iproute2|iproute
	test|tc|command tc|iproute2|iproute-tc
	test|nft|command nft|nftables|nftables
	test|jq|command jq|jq|jq
	test|names of services|file /etc/services|netbase|setup
	test|nft|command nft|nftables|nftables
	test|nsenter and setpriv|command setpriv|util-linux|util-linux
	test|systemd 250 or newer|systemd 250|systemd|systemd
	test|valgrind|command valgrind|valgrind|valgrind
	test|logrotate|command logrotate|logrotate|logrotate
	test|strace|command strace|strace|strace
	test|AddressSanitizer|sanitizer address|gcc|libasan
	test|UndefinedBehaviorSanitizer|sanitizer undefined|gcc|libubsan
	test|Python 3 with jsonschema|python jsonschema|python3-jsonschema|python3-jsonschema
	fuzz|libFuzzer|fuzzer|libclang-rt-dev|compiler-rt
	fuzz|names of services|file /etc/services|netbase|setup
	bench|valgrind|command valgrind|valgrind|valgrind
	bench|ip|command ip|iproute2|iproute
	bench|jq|command jq|jq|jq
	bench|bpftrace|command bpftrace|bpftrace|bpftrace
	bench|tcpdump|command tcpdump|tcpdump|tcpdump
	bench|tshark|command tshark|tshark|wireshark-cli
	vm|qemu-system-x86_64|command qemu-system-x86_64|qemu-system-x86|qemu-system-x86-core
	vm|apt-get|command apt-get|apt|apt
	vm|dpkg|command dpkg|dpkg|dpkg
	vm|the keys of Debian's archive|file /usr/share/keyrings/debian-archive-keyring.gpg|debian-archive-keyring|debian-keyring
	vm|a static busybox|static busybox|busybox-static|busybox
	vm|depmod and modprobe|command depmod|kmod|kmod
	vm|cpio|command cpio|cpio|cpio
	vm|xz|command xz|xz-utils|xz
	vm|zstd|command zstd|zstd|zstd
	vm|nft|command nft|nftables|nftables
	END
}

compiles() { # flags; the program on stdin
	command -v "${CC:-cc}" >/dev/null && "${CC:-cc}" "$@" -x c - -o /dev/null 2>/dev/null
}

present() { # the third column
	case $1 in
	command) command -v "$2" >/dev/null ;;
	file) [ -e "$2" ] ;;
	static) file=$(command -v "$2") && ! ldd "$file" >/dev/null 2>&1 ;;
	clang)
		version=$("${CLANG:-clang}" -dumpversion 2>/dev/null) && [ "${version%%.*}" -ge "$2" ]
		;;
	systemd)
		# "systemd 252 (252.39-1)"
		version=$(systemctl --version 2>/dev/null | sed -n 's/^systemd \([0-9]*\).*/\1/p') &&
			[ "${version:-0}" -ge "$2" ]
		;;
	header) printf '#include <%s>\n' "$2" | compiles -c ;;
	library) pkg-config --atleast-version="$3" "$2" 2>/dev/null ;;
	sanitizer) echo 'int main(void) { return 0; }' | compiles -fsanitize="$2" ;;
	fuzzer)
		echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
			CC=${CLANG:-clang} compiles -fsanitize=fuzzer,address,undefined
		;;
	python) /usr/bin/python3 -c "import $2" 2>/dev/null ;;
	esac
}

# The rows of the groups "$@" whose requirement is missing.
missing() {
	requirements | while IFS='|' read -r group what test apt dnf; do
		case " $* " in
		*" $group "*) ;;
		*) continue ;;
		esac
		# shellcheck disable=SC2086 # the column is words
		present $test || printf '%s|%s|%s|%s\n' "$group" "$what" "$apt" "$dnf"
	done
}

check() {
	rows=$(missing "$@")
	[ -n "$rows" ] || return 0
	echo "$rows" | while IFS='|' read -r _ what apt dnf; do
		echo "netlog: $what is missing: apt-get install $apt, or dnf install $dnf" >&2
	done
	return 1
}

# An installer's output is of interest only if it fails.
quietly() {
	log=$(mktemp) || return 1
	"$@" >"$log" 2>&1
	status=$?
	[ $status -eq 0 ] || {
		cat "$log" >&2
		echo "netlog: installing failed" >&2
	}
	rm -f "$log"
	return $status
}

# shellcheck disable=SC2086 # packages are words
install() {
	rows=$(missing "$@")
	[ -n "$rows" ] || return 0
	if command -v apt-get >/dev/null; then
		packages=$(echo "$rows" | cut -d'|' -f3 | sort -u | tr '\n' ' ')
		if can_be_root; then
			echo "netlog: installing: $packages" >&2
			quietly as_root apt-get update -qq &&
				quietly as_root env DEBIAN_FRONTEND=noninteractive \
					apt-get install -y -qq --no-install-recommends $packages
		else
			as_root apt-get install $packages # says what somebody else would have to do
		fi
	elif command -v dnf >/dev/null; then
		packages=$(echo "$rows" | cut -d'|' -f4 | sort -u | tr '\n' ' ')
		echo "netlog: installing: $packages" >&2
		quietly as_root dnf install -y -q $packages
	fi
	check "$@"
}

action=${1:-}
[ $# -gt 1 ] && shift
case $action in
check | install) "$action" "$@" ;;
*)
	echo "usage: requirements.sh check|install build|check|lint|demo|test|fuzz|bench|vm..." >&2
	exit 2
	;;
esac
