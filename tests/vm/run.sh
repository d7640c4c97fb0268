#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run.sh [NAME] - netlog, as built here, under each of Debian's kernels in VMs; the last line counts.
#
# In one VM the scenes run (scenes.sh), and then here, on what is kept of them, the *_test.sh beside this
# file, or those whose name contains the NAME. In two more, with one CPU and with two, netlogs come and go
# ROUNDS times (200) while all that they look at ends under their eyes (harm.sh). The console of each VM is
# searched for harm (console.sh). KERNELS="6.1 7.2" picks kernels, one that is named twice runs twice, and
# VMS="scenes harm:1 harm:2" picks VMs (there is also closed:2, see harm.sh). The cache (see kernel.sh) has what a kernel said while it ran, in
# console-KERNEL-VM, and what was kept, in kept-KERNEL-VM: on that a test runs by itself with KEPT=.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/root.sh

KERNELS=${KERNELS:-5.10 6.1 6.12 7.2}
cache=${NETLOG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netlog}
VMS=${VMS:-scenes harm:1 harm:2}
ROUNDS=${ROUNDS:-200}
AT_ONCE=${AT_ONCE:-2} # VMs
limit=$((600 + 60 * ROUNDS)) # seconds for a VM that hangs; on a quiet machine it takes some minutes
work=$(mktemp -d) || exit 1
vm=
vm_shell=$$

at_exit() {
	# shellcheck disable=SC2046 # pids are words
	kill $(jobs -rp) $vm 2>/dev/null
	wait
	rm -rf "$work"
}
trap at_exit EXIT
trap 'exit 130' INT TERM HUP

# How many CPUs of those that are asked for. On emulated ones 7.2 panics when tracepoints are switched on and off under load, also
# without netlog and without BPF: by tracefs alone, in 13 s (int3, one byte into a static branch: one CPU
# runs the breakpoint that the other has already replaced). With one CPU no other's code is patched.
cpus() { # KERNEL WANTED
	case $1/$accel in
	7.2/tcg*) echo 1 ;;
	*) echo "$2" ;;
	esac
}

# CPU time of the processes that this shell has waited for: fields 16 and 17 of proc(5)'s stat
children_seconds() {
	sed 's/.*) //' /proc/"$vm_shell"/stat | awk -v hz="$(getconf CLK_TCK)" '{ printf "%d", ($14 + $15) / hz }'
}

# qemu SECONDS CPUS KERNEL CMDLINE OPTION...: until the VM is off. It ends with us, even after SIGKILL.
# loglevel=5: of the kernel's messages, warnings and worse
qemu() {
	local seconds=$1 cpus=$2 kernel=$3 cmdline=$4 before
	shift 4
	before=$(children_seconds)
	setpriv --pdeathsig TERM timeout -k 5 "$seconds" qemu-system-x86_64 -accel "$accel" \
		-cpu max -smp "$cpus" -m 1024 -nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$console" -kernel "$kernel/vmlinuz" -initrd "$work/initrd" \
		-append "console=ttyS0 loglevel=5 oops=panic panic=-1 mitigations=off nokaslr audit=0 $cmdline" \
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
	[ -w /dev/kvm ] && qemu 20 1 "$1" netlog.probe && grep -q 'netlog-vm: probe' "$console" ||
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

# judge_harm KEPT CPUS SCENE: did all rounds come to their end, and was there everything to be seen that should be?
judge_harm() {
	local rounds kinds faults
	rounds=$(wc -l <"$1/rounds")
	echo "# $rounds rounds; $(cat "$1"/churn.*)"
	kinds=$(jq -r --argjson rounds "$ROUNDS" 'to_entries[] | select(.value < $rounds) | .key' "$1"/churn.* 2>&1 |
		sort | uniq -c | xargs)
	touch "$1/faults"
	faults=$(grep -v '^total 0$' "$1/faults" | head -n 5)
	[ -z "$faults" ] || echo "# page faults in programs: $faults"
	# of each eighth round
	[ "$(grep -c '^total' "$1/faults")" = $((ROUNDS / 8)) ] || faults="counted in $(grep -c '^total' "$1/faults") rounds"
	if [ "$rounds" = "$ROUNDS" ] && [ -z "$faults" ] && [ -z "$kinds" ]; then
		echo "ok netlogs_come_and_go_and_no_load_faults_$2_CPUs"
	else
		echo "# $rounds of $ROUNDS rounds; kinds that were less often: $kinds"
		echo "not ok netlogs_come_and_go_and_no_load_faults_$2_CPUs"
	fi
}

# one_vm KERNEL DIRECTORY SCENE CPUS: what there is to be told of it goes to $work/said
one_vm() {
	local name=$1 kernel=$2 scene=$3 script=$3 cpus status end nics='' kept=$cache/kept-$again$1-$3-$4
	cpus=$(cpus "$name" "$4")
	console=$cache/console-$again$name-$scene-$4
	[ "$scene" != closed ] || script=harm
	echo "== $name $scene: $(cat "$kernel/version"), $accel, CPUs: $cpus"
	rm -rf "$work/share"
	mkdir "$work/share"
	pwd -P >"$work/share/tree"
	# a netlog from elsewhere may be tried, too; its tree lies below /host
	echo "cd /netlog-tree && ${NETLOG:+NETLOG=/netlog-vm/netlog }exec tests/vm/guest.sh /netlog-vm $script.sh $ROUNDS $scene" \
		>"$work/share/begin"
	[ -z "${NETLOG:-}" ] || cp "$NETLOG" "$work/share/netlog"
	# NICs, by two on a wire
	for end in 0 1 2 3; do
		nics="$nics -netdev hubport,id=end$end,hubid=$((end / 2)) -device virtio-net-pci,netdev=end$end,romfile="
	done
	# shellcheck disable=SC2086 # options are words
	qemu $limit "$cpus" "$kernel" "" $nics \
		-virtfs local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on \
		-virtfs "local,path=$work/share,mount_tag=out,security_model=none,multidevs=remap"
	status=$?
	{
		cat "$work/share/said" 2>/dev/null
		if [ ! -e "$work/share/done" ]; then
			sed 's/^/# qemu: /' "$work/qemu"
			console_told
			if [ $status = 124 ]; then
				echo "not ok $scene: the VM was not at its end after $limit s"
			else
				echo "not ok $scene: the VM ended too early (qemu's status $status)"
			fi
		elif [ "$scene" = scenes ]; then
			judge "$work/share/kept"
		else
			judge_harm "$work/share/kept" "$cpus" "$scene"
		fi
		if tests/vm/console.sh "$console"; then
			echo "ok the_console_of_${scene}_with_${cpus}_CPUs_tells_of_no_harm"
		else
			echo "not ok the_console_of_${scene}_with_${cpus}_CPUs_tells_of_no_harm"
		fi
	} >"$work/said"
	rm -rf "$kept"
	[ ! -e "$work/share/kept" ] || mv "$work/share/kept" "$kept"
	tell "$name" "$work/said"
}

# Each VM has a place of its own, $work/NUMBER, and is told of when those before it have been.
vm_begin() { # NUMBER KERNEL DIRECTORY SCENE CPUS
	local number=$1 started=$SECONDS
	shift
	work=$work/$number vm_shell=$BASHPID
	mkdir "$work"
	trap 'kill $vm 2>/dev/null; wait' EXIT
	: >"$work/results"
	initrd_make "$2"
	{
		one_vm "$@"
		echo "# $1 $3:$4 took $((SECONDS - started)) s, and $cpu_seconds s of CPU in the VM"
	} >"$work/told_of"
}

vm_end() { # NUMBER
	wait "${pids[$1]}" || echo "not ok vm $1: it ended with status $?" | tee -a "$work/results"
	cat "$work/$1/told_of"
	cat "$work/$1/results" >>"$work/results"
	rm -rf "${work:?}/$1"
}

# The kernel NAME's directory is $kernel then
kernel_ready() { # NAME
	kernel=$(tests/vm/kernel.sh "$1" 2>"$work/fetched")
	if [ -z "$kernel" ]; then
		echo "not ok kernel: $(tr '\n' ' ' <"$work/fetched")" >"$work/said"
		tell "$1" "$work/said"
		return 1
	fi
	cat "$work/fetched"
	console=$cache/console-$1
	initrd_make "$kernel"
	[ -n "${accel:-}" ] || accel_choose "$kernel"
}

wanted=${1:-}
: >"$work/results"
begun=0 told=0
declare -A pids times
for name in $KERNELS; do
	kernel_ready "$name" || continue
	times[$name]=$((${times[$name]:-0} + 1))
	again= # in front of what is kept of one that is named again
	[ "${times[$name]}" = 1 ] || again=${times[$name]}-
	for vm_wanted in $VMS; do
		[ $((begun - told)) -lt "$AT_ONCE" ] || {
			vm_end $told
			told=$((told + 1))
		}
		vm_cpus=${vm_wanted##*:}
		[ "$vm_cpus" != "$vm_wanted" ] || vm_cpus=2
		if [ "$vm_cpus" != "$(cpus "$name" "$vm_cpus")" ] && [ "${vm_wanted%%:*}" != scenes ]; then
			echo "# $name $vm_wanted: not tried, since this kernel has one CPU here (see cpus())"
			continue
		fi
		vm_begin $begun "$name" "$kernel" "${vm_wanted%%:*}" "$vm_cpus" &
		pids[$begun]=$!
		begun=$((begun + 1))
	done
done
while [ $told -lt $begun ]; do
	vm_end $told
	told=$((told + 1))
done

echo
grep '^not ok ' "$work/results"
passed=$(grep -c '^ok ' "$work/results")
failed=$(grep -c '^not ok ' "$work/results")
skipped=$(grep -c '^skip ' "$work/results")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -ne 0 ]
