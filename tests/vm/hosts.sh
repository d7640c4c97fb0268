# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# hosts.sh - sourced by what runs in the VM: namespaces that stand for hosts.
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"

# namespace_make: a namespace that ends with the process $holder in it
namespace_make() {
	unshare --net sleep infinity &
	holder=$!
	entered() { [ "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
	wait_for 60 entered || fail "no namespace"
}
