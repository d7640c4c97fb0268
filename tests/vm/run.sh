#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh [NAME] - netlog, as built here, under each of Debian's kernels in a VM; the last line counts.
#
# In the VM the scenes run (scenes.sh), and then here, on what is kept of them, the *_test.sh beside this
# file, or those whose name contains the NAME. KERNELS="6.1 7.2" picks kernels. The cache (see kernel.sh)
# has what a kernel said while it ran, in console-NAME, and what was kept, in kept-NAME: on that a test runs
# by itself with KEPT=.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/root.sh

KERNELS=${KERNELS:-5.10 6.1 6.12 7.2}
cache=${NETLOG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netlog}
limit=900 # seconds for a VM that hangs; on a quiet machine it takes a minute or two
work=$(mktemp -d) || exit 1
vm=

at_exit() {
	[ -z "$vm" ] || kill "$vm" 2>/dev/null
	wait
	rm -rf "$work"
}
trap at_exit EXIT
trap 'exit 130' INT TERM HUP

# How many CPUs. On emulated ones 7.2 panics when tracepoints are switched on and off under load, also
# without netlog and without BPF: by tracefs alone, in 13 s (int3, one byte into a static branch: one CPU
# runs the breakpoint that the other has already replaced). With one CPU no other's code is patched.
cpus() { # NAME
	case $1/$accel in
	7.2/tcg*) echo 1 ;;
	*) echo 2 ;;
	esac
}

# CPU time of the processes that have been waited for: fields 16 and 17 of proc(5)'s stat
children_seconds() {
	sed 's/.*) //' /proc/$$/stat | awk -v hz="$(getconf CLK_TCK)" '{ printf "%d", ($14 + $15) / hz }'
}

# qemu SECONDS KERNEL CMDLINE OPTION...: until the VM is off. It ends with us, even after SIGKILL.
qemu() {
	local seconds=$1 kernel=$2 cmdline=$3 before
	shift 3
	before=$(children_seconds)
	setpriv --pdeathsig TERM timeout -k 5 "$seconds" qemu-system-x86_64 -accel "$accel" \
		-cpu max -smp "$(cpus "$name")" -m 1024 -nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$console" -kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet oops=panic panic=-1 mitigations=off nokaslr audit=0 $cmdline" \
		"$@" >"$work/qemu" 2>&1 </dev/null &
	vm=$!
	local status
	{ wait $vm; } 2>/dev/null # the shell tells of those that died by a signal
	status=$?
	vm=
	cpu_seconds=$(($(children_seconds) - before))
	return $status
}

initrd_make() { # KERNEL
	mkdir -p "$work/initrd.d/bin"
	cp tests/vm/init "$work/initrd.d/init"
	cp "$(command -v busybox)" "$work/initrd.d/bin/busybox"
	mkdir -p "$work/initrd.d/proc" "$work/initrd.d/sys" "$work/initrd.d/dev"
	(cd "$work/initrd.d" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/init.cpio" &&
		cat "$work/init.cpio" "$1/modules.cpio" >"$work/initrd"
}

# KVM may be there and yet not run a kernel: it is what boots one.
accel_choose() { # KERNEL
	accel=kvm
	[ -w /dev/kvm ] && qemu 20 "$1" netlog.probe && grep -q 'netlog-vm: probe' "$console" ||
		accel=tcg,thread=multi
}

# Lines of a kernel's tests: `ok NAME` becomes `ok KERNEL NAME`.
tell() {
	sed "s/^\(ok\|not ok\|skip\) /&$1 /" "$2" >"$work/told"
	grep '^\(ok\|not ok\|skip\) ' "$work/told" >>"$work/results"
	cat "$work/told"
}

# A panic's cause stands at its head, and what came of it at the end: all of it, or much of both.
console_told() {
	echo "# what it said on its console is in $console"
	tr -d '\r' <"$console" | awk -v part=120 '
		{ line[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++) {
				if (NR > 2 * part && i == part + 1) {
					print "# console: ... (" NR - 2 * part " lines)"
					i = NR - part + 1
				}
				print "# console: " line[i]
			}
		}'
}

# judge KEPT: what the tests say of it, all at once
judge() {
	local program status running=
	for program in tests/vm/*_test.sh; do
		case $program in
		*"$wanted"*) ;;
		*) continue ;;
		esac
		KEPT=$1 timeout -k 5 600 "$program" >"$work/${program##*/}" 2>&1 </dev/null &
		running="$running $program:$!"
	done
	for program in $running; do
		wait "${program##*:}"
		status=$?
		program=${program%:*}
		program=${program##*/}
		cat "$work/$program"
		if [ $status -gt 1 ]; then
			echo "not ok $program: ended with status $status"
		elif ! grep -q '^\(ok\|not ok\|skip\) ' "$work/$program"; then
			echo "not ok $program: no test was run"
		fi
	done
}

one_kernel() {
	local name=$1 kernel started=$SECONDS end nics=
	: >"$work/said"
	console=$cache/console-$name
	kernel=$(tests/vm/kernel.sh "$name" 2>"$work/fetched")
	if [ -z "$kernel" ]; then
		echo "not ok kernel: $(tr '\n' ' ' <"$work/fetched")" >"$work/said"
		tell "$name" "$work/said"
		return
	fi
	cat "$work/fetched"
	started=$SECONDS
	initrd_make "$kernel"
	[ -n "${accel:-}" ] || accel_choose "$kernel"
	echo "== $name: $(cat "$kernel/version"), $accel, CPUs: $(cpus "$name")"
	rm -rf "$work/share"
	mkdir "$work/share"
	pwd -P >"$work/share/tree"
	echo 'cd /netlog-tree && exec tests/vm/guest.sh /netlog-vm' >"$work/share/begin"
	# NICs, by two on a wire
	for end in 0 1 2 3; do
		nics="$nics -netdev hubport,id=end$end,hubid=$((end / 2)) -device virtio-net-pci,netdev=end$end,romfile="
	done
	# shellcheck disable=SC2086 # options are words
	qemu $limit "$kernel" "" $nics \
		-virtfs local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on \
		-virtfs "local,path=$work/share,mount_tag=out,security_model=none,multidevs=remap"
	local status=$?
	[ ! -e "$work/share/said" ] || cat "$work/share/said" >"$work/said"
	if [ ! -e "$work/share/done" ]; then
		{
			sed 's/^/# qemu: /' "$work/qemu"
			console_told
			if [ $status = 124 ]; then
				echo "not ok boot: the VM was not at its end after $limit s"
			else
				echo "not ok boot: the VM ended too early (qemu's status $status)"
			fi
		} >>"$work/said"
	else
		judge "$work/share/kept" >>"$work/said"
	fi
	rm -rf "$cache/kept-$name"
	[ ! -e "$work/share/kept" ] || mv "$work/share/kept" "$cache/kept-$name"
	grep -q '^\(ok\|not ok\|skip\) ' "$work/said" || echo "not ok tests: none was run" >>"$work/said"
	tell "$name" "$work/said"
	echo "# $name took $((SECONDS - started)) s, and $cpu_seconds s of CPU in the VM"
}

wanted=${1:-}
: >"$work/results"
for name in $KERNELS; do
	one_kernel "$name"
done

echo
grep '^not ok ' "$work/results"
passed=$(grep -c '^ok ' "$work/results")
failed=$(grep -c '^not ok ' "$work/results")
skipped=$(grep -c '^skip ' "$work/results")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
