#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# guest.sh SHARE SCRIPT [ARGUMENT...] - runs in the VM, as its first process: tests/vm/SCRIPT, whose accounts are
# SHARE/kept then.
#
# What goes wrong as a whole is in SHARE/said, and SHARE/done is made at the end.
set -u
share=$1
script=$2
shift 2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TMPDIR=/tmp

ln -s /proc/self/fd /dev/fd
mkdir -p /dev/pts /dev/shm "$share/kept"
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
ulimit -l unlimited # BPF memory counts here before 5.11

echo "# $script begins $(cut -d . -f 1 /proc/uptime) s after boot" >"$share/said"
tests/vm/"$script" "$share/kept" "$@" >>"$share/said" 2>&1 </dev/null ||
	echo "not ok $script: ended with status $?" >>"$share/said"
echo "# $script ends $(cut -d . -f 1 /proc/uptime) s after boot" >>"$share/said"
echo the end >"$share/done"
sync
echo b >/proc/sysrq-trigger # qemu ends where a machine would boot anew
sleep 60
