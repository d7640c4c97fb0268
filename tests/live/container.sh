# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# container.sh - sourced after lib.sh: a real systemd as PID 1, on this host's own files.
#
# Its root is an overlay: this host's root below, a tmpfs above, so it writes nothing of the host's. All
# its mounts are in its own namespaces and all its processes in its pid namespace: the kernel ends them
# with the first process, which ends with us, even after SIGKILL. There is no user namespace: netlog's
# capabilities must count. Not systemd-nspawn, which leaves directories behind, wants a bus and, on a
# host with a systemd, a scope.

cgroup=netlog-test.$$
init=

# Runs as the first process in the namespaces; becomes systemd.
container_root() {
	set -eu
	local root=$work/container/root
	mount -t tmpfs -o mode=755 tmpfs "$work/container"
	mkdir "$work/container/upper" "$work/container/work" "$root"
	mount -t overlay -o "lowerdir=/,upperdir=$work/container/upper,workdir=$work/container/work" \
		overlay "$root"
	mount -t proc proc "$root/proc"
	# a sysctl that is set here is set for the host, too
	mount -o bind,ro "$root/proc/sys" "$root/proc/sys"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	mount -t tmpfs -o mode=755 tmpfs "$root/run"
	mount -t tmpfs -o mode=755 tmpfs "$root/dev"
	for device in null zero full random urandom tty; do
		touch "$root/dev/$device"
		mount --bind "/dev/$device" "$root/dev/$device"
	done
	ln -s pts/ptmx "$root/dev/ptmx" # PrivateDevices= wants it
	# none of the host's own services, disks and journals
	rm -rf "$root"/etc/systemd/system "$root"/etc/init.d "$root"/etc/rc?.d "$root/etc/fstab" \
		"$root/var/log/journal"
	mkdir "$root/etc/systemd/system" "$root/.host"
	cd "$root"
	pivot_root . .host
	umount -l .host
	rmdir .host
	exec env -i container=netlog-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio \
		/lib/systemd/systemd --unit=basic.target --show-status=no
}

# A cgroup of its own; the hierarchy is mounted where nobody else sees it, as hosts have it at many places.
container_start() {
	set -eu
	mount -t cgroup2 cgroup2 "$work/container"
	mkdir "$work/container/$cgroup"
	echo $$ >"$work/container/$cgroup/cgroup.procs"
	umount "$work/container"
	exec unshare --mount --propagation private --pid --fork --kill-child --uts --ipc --net --cgroup \
		bash -c container_root
}

# Why there can be no container here; nothing if there can
why_no_container() {
	why_not_here
	[ "${NETLOG_OWN_MOUNTS:-}" = yes ] || echo "no mount namespace of our own: ${why_no_mounts:-}"
	[ -x /lib/systemd/systemd ] || echo "no systemd"
	mkdir -p "$work/try"
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -c 'mount -t cgroup2 cgroup2 "$0" && umount "$0" &&
		mount -t tmpfs tmpfs "$0" && mkdir "$0/upper" "$0/work" "$0/root" &&
		mount -t overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" overlay "$0/root"' "$work/try" 2>&1
}

container_up() {
	mkdir "$work/container"
	export work cgroup
	export -f container_root container_start
	(exec setpriv --pdeathsig KILL unshare --mount --propagation private bash -c container_start) \
		>"$work/console" 2>&1 &
	container_pid=$!
	wait_for 20 container_has_init || fail "no container: $(cat "$work/console")"
	wait_for 60 booted || fail "systemd does not come up: $(cat "$work/console"
		in_container systemctl --no-pager list-jobs)"
}

container_has_init() {
	local child
	child=$(xargs <"/proc/$container_pid/task/$container_pid/children") &&
		grep -qsx systemd "/proc/$child/comm" && init=$child
}

booted() {
	case $(in_container systemctl is-system-running 2>/dev/null) in
	running | degraded) ;;
	*) return 1 ;;
	esac
}

in_container() {
	nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PAGER= "$@"
}

# in_cgroups COMMAND...: in the root of the hierarchy, which is mounted for this only
in_cgroups() {
	unshare --mount --propagation private \
		sh -c 'mount -t cgroup2 cgroup2 "$0" && cd "$0" && "$@"' "$work/container" "$@"
}

# Its processes have been killed, so it becomes empty by itself, but nobody else removes it.
cgroup_removed() { # NAME
	! in_cgroups test -d "$1" || in_cgroups find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

container_down() {
	[ -n "${container_pid:-}" ] || return 0
	# without its first process a pid namespace ends; unshare ends with it
	kill -KILL "${init:-$container_pid}" 2>/dev/null
	wait "$container_pid" 2>/dev/null
	wait_for 20 cgroup_removed "$cgroup" || echo "# the cgroup $cgroup is left"
}
trap 'container_down; at_exit' EXIT
