#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# guest.sh SHARE - runs in the VM, as its first process: the tests that the file `tests` names.
#
# What a test program says goes to SHARE/said as it comes, and SHARE/done is made at the end.
set -u
share=$1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TMPDIR=/tmp

ln -s /proc/self/fd /dev/fd
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
ulimit -l unlimited # BPF memory counts here before 5.11

tests() { grep -v '^#' tests/vm/tests; }

while read -r seconds program words; do
	case $program in
	*"${WANTED:-}"*) ;;
	*) continue ;;
	esac
	# each word is a line: grep -F takes lines for alternatives
	TEST=${words// /$'\n'} timeout -k 5 "$seconds" "$program" >"$share/one" 2>&1 </dev/null
	status=$?
	cat "$share/one" >>"$share/said"
	if [ $status = 124 ] || [ $status = 137 ]; then
		echo "not ok ${program##*/}: not at its end after $seconds s" >>"$share/said"
	elif [ $status != 0 ] && ! grep -q '^not ok ' "$share/one"; then
		echo "not ok ${program##*/}: ended with status $status" >>"$share/said"
	elif ! grep -q '^\(ok\|not ok\|skip\) ' "$share/one"; then
		echo "not ok ${program##*/}: no test was run" >>"$share/said"
	else
		# one that has been renamed must not be left out in silence
		for word in $words; do
			grep -q "^\(ok\|not ok\|skip\) .*$word" "$share/one" ||
				echo "not ok ${program##*/}: no test is called $word" >>"$share/said"
		done
	fi
	echo "# ${program##*/}: at its end $(cut -d . -f 1 /proc/uptime) s after boot" >>"$share/said"
	rm "$share/one" # else the host takes it for what an unfinished one has said
done < <(tests)
echo the end >"$share/done"
sync
echo o >/proc/sysrq-trigger
sleep 60
