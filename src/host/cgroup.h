/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup.h - cgroups (version 2) by path and by systemd unit, as the kernel side knows them.
 */
#ifndef NETLOG_CGROUP_H
#define NETLOG_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct cgroup_found {
	uint64_t id;
	unsigned int level; /* below the kernel's root, which is 0 */
	bool any_level;	    /* unknown: the root that this process sees is not the kernel's */
};

/*
 * The cgroup with this path, which begins at the root of the hierarchy (as in /proc/PID/cgroup) or
 * at its mount point. -ENODEV: no hierarchy is mounted. -ENOENT: no such cgroup.
 */
int cgroup_by_path(const char *path, struct cgroup_found *ret_found);

/*
 * Have an inotify(7) descriptor tell (IN_CREATE) when a cgroup of this path may be there again: all
 * directories above it that are there now are watched. To be asked again after each such event,
 * since watches go with their directories. -ENODEV as above. -ENOSPC: too many are watched on this
 * host.
 */
int cgroup_watch_path(int inotify, const char *path);

#endif
