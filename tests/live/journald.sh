#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# journald.sh DIRECTORY - become a journald whose /run is its own: to be run by
# `unshare --mount --propagation private`. The host's journal is not touched.
set -eu
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/log/journal
cat >"$1/journald.conf" <<-'CONF'
	[Journal]
	Storage=volatile
	ReadKMsg=no
	Audit=no
	ForwardToSyslog=no
	RateLimitIntervalSec=0
	RuntimeMaxUse=256M
CONF
mount --bind "$1/journald.conf" /etc/systemd/journald.conf
exec /lib/systemd/systemd-journald
