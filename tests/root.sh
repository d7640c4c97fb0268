# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=sh
#
# root.sh - sourced: who can do what only root may.

PATH=$PATH:/usr/sbin:/sbin
export PATH

# Run as root: at once if we are, by sudo if there is one; else say so and return 77.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "netlog: this needs root, and there is no sudo: run it as root" >&2
		return 77
	fi
}
