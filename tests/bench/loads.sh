#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# loads.sh [CONNECTIONS] - as root: what it costs to copy each field, as on kernels that cannot mend a load that
# faults (src/kernel/extable.h), next to loading it.
#
# Two netlogs look at the same traffic at the same time, and the second takes this kernel for such a one. For
# each program the kernel's own time a run, of either, and their ratio.
#
# OTHER=PATH: the second is that netlog instead, such as one built before a change. OPTIONS are given to both.
. "$(dirname "$0")/../live/lib.sh"
connections=${1:-2000}

# programs_start NAME COMMAND...
programs_start() {
	local name=$1
	shift
	# shellcheck disable=SC2086
	"$@" -q -o "file:$work/$name" ${OPTIONS:-} &
	eval "$name=$!"
	wait_for 60 started "$work/$name" || fail "$name did not start"
}

# times PID: "PROGRAM RUNS NANOSECONDS" of each program it holds; a name may be that of two
times() {
	local id
	for id in $(awk '/^prog_type:/ { program = 1 } /^prog_id:/ && program { print $2; program = 0 }
		/^link_type:/ { program = 0 }' /proc/"$1"/fdinfo/* | sort -un); do
		bpftool -j prog show id "$id"
	done | jq -r 'select(.run_cnt > 0) | "\(.name) \(.run_cnt) \(.run_time_ns)"' |
		awk '{ runs[$1] += $2; ns[$1] += $3 } END { for (name in runs) print name, runs[name], ns[name] }' | sort
}

[ "$(id -u)" = 0 ] || fail "this needs root"
before=$(cat /proc/sys/kernel/bpf_stats_enabled)
restore() {
	echo "$before" >/proc/sys/kernel/bpf_stats_enabled
	at_exit
}
trap restore EXIT
echo 1 >/proc/sys/kernel/bpf_stats_enabled
programs_start loading "$netlog"
if [ -n "${OTHER:-}" ]; then
	programs_start copying "$OTHER"
else
	programs_start copying env NETLOG_RELEASE=5.10.0 NETLOG_REFUSE=look LD_PRELOAD="$PWD/build/refuse.so" "$netlog"
fi
build/flows --connections "$connections" --messages 5 >/dev/null || fail "no traffic"
times $loading >"$work/of_loading"
times $copying >"$work/of_copying"
join "$work/of_loading" "$work/of_copying" | awk -v first="${OTHER:+this}" -v second="${OTHER:+other}" '
	BEGIN { printf "%-16s %9s %9s %9s %6s\n", "program", "runs", (first ? first : "load") ", ns",
		(second ? second : "copy") ", ns", "ratio" }
	$2 > 100 && $4 > 100 {
		printf "%-16s %9d %9.0f %9.0f %6.2f\n", $1, $2, $3 / $2, $5 / $4, ($5 / $4) / ($3 / $2)
	}'
