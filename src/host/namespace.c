// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/namespace.h"

#include <errno.h>

#include "base/util.h"

static const struct {
	const char *link, *first;
} namespaces[] = {
	/* PROC_CGROUP_INIT_INO and PROC_PID_INIT_INO of include/linux/proc_ns.h */
	[namespace_cgroup] = { "/proc/self/ns/cgroup", "cgroup:[4026531835]" },
	[namespace_pid] = { "/proc/self/ns/pid", "pid:[4026531836]" },
};

int namespace_is_first(enum namespace_kind kind)
{
	char now[64] = "";

	if (readlink(namespaces[kind].link, now, sizeof(now) - 1) < 0)
		return -errno;
	return !strcmp(now, namespaces[kind].first);
}
