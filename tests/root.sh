# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
#
# root.sh - sourced: to run commands as root.

# bpftool, ip and tc live where not every user's PATH leads
PATH=$PATH:/usr/sbin:/sbin
export PATH

can_be_root() {
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null
}

# Run as root: at once if we are, by sudo if there is one; else say so and return 77.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif can_be_root; then
		sudo "$@"
	else
		echo "netlog: not root, and there is no sudo; as root: $*" >&2
		return 77
	fi
}
