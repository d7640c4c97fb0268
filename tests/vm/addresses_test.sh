#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Addresses that hosts translate: what is read of the connection tracker's, and which sockets packets have, differs
# from kernel to kernel.
. "$(dirname "$0")/judge.sh"
. tests/live/addresses.sh

test_a_connections_lines_have_its_sockets_addresses_and_tell_those_on_the_wire() {
	local netlog_of
	scene addresses
	for netlog_of in best lower; do
		lines_of $netlog_of
		judge told
	done
}

run_tests
