#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# noise.sh [COMMAND...] - as root: other people at work on this machine. With a command it lasts as long as
# the command runs, and ends with its status; without one, until SIGINT or SIGTERM.
#
# Every live test must bear this: interfaces, network namespaces, mounts and cgroups come and go, in namespaces
# of their own and in the host's; one core is never idle; TCP goes over a wire that loses every fifth packet.
# All that it makes has netlog-noise in its name and goes at the end.
set -u
cd "$(dirname "$0")/.." || exit 1
PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" = 0 ] || { echo "noise: only root may make interfaces and mounts" >&2; exit 77; }
[ -x build/wire ] && [ -x build/traffic ] || { echo "noise: run make tools first" >&2; exit 1; }
work=$(mktemp -d --tmpdir netlog-noise.XXXXXX) || exit 1
name=netlog-noise-$$
link=nn$$ # of an interface, 15 characters at the most
burner=
wire=
command=
loops=()

# The loops end by themselves, with nothing half made: a signal in between would leave it behind.
at_exit() {
	trap '' INT TERM # a second signal, as timeout(1) sends it, must not end this
	rm -f "$work/go"
	[ -z "$command" ] || kill "$command" 2>/dev/null
	[ -z "$burner" ] || kill "$burner"
	[ "${#loops[@]}" = 0 ] || wait "${loops[@]}"
	[ -z "$wire" ] || kill "$wire"
	wait
	rm -rf --one-file-system "$work"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

goes_on() { [ -e "$work/go" ] && sleep 0.05; }

# made_and_removed NAME: one of each, in the namespaces that the caller is in
made_and_removed() {
	mkdir "$work/$1"
	while goes_on; do
		ip link add "${link}a" type veth peer name "${link}b" && ip link set "${link}a" up &&
			ip link del "${link}a"
		mount -t tmpfs "$name" "$work/$1" && umount "$work/$1"
		ip netns add "$name" && ip -n "$name" link set lo up && ip netns del "$name"
	done
}

cgroups() {
	mkdir "$work/cgroups"
	mount -t cgroup2 cgroup2 "$work/cgroups" || return
	while goes_on; do
		mkdir -p "$work/cgroups/$name.slice/$name.service" &&
			rmdir "$work/cgroups/$name.slice/$name.service" "$work/cgroups/$name.slice"
	done
}

retransmits() {
	while goes_on; do
		timeout 5 build/traffic --client /proc/$wire/fd/30 --server /proc/$wire/fd/31 --messages 10 \
			--bytes 3000 >/dev/null
	done
}

: >"$work/go"
build/wire --delay-ms 1 --drop-every 5 >"$work/ready" 2>/dev/null &
wire=$!
until grep -qs ready "$work/ready"; do
	kill -0 $wire || exit 1
	sleep 0.05
done
# only this shell takes signals, and the loops inherit that they do not
trap '' INT TERM
export -f goes_on made_and_removed cgroups
export work name link
made_and_removed host &
loops+=($!)
unshare --mount --propagation private --net bash -c \
	'mount -t tmpfs none /run && made_and_removed own' &
loops+=($!)
unshare --mount --propagation private bash -c cgroups &
loops+=($!)
retransmits &
loops+=($!)
trap 'exit 130' INT
trap 'exit 143' TERM
bash -c 'while :; do :; done' &
burner=$!
if [ $# = 0 ]; then
	echo "noise: until SIGINT or SIGTERM" >&2
	wait $burner
else
	env --default-signal=INT "$@" &
	command=$!
	wait $command
	status=$?
	command=
	exit $status
fi
