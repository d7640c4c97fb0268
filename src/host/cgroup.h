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
 * All cgroups of the unit, in the order found: a user unit has one for each user it runs for.
 * `unit` is a full name (nginx.service). Returns their number, which may exceed `size`, the room in
 * `found`; 0: it does not run. -ENODEV: no hierarchy is mounted.
 */
int cgroups_by_unit(const char *unit, struct cgroup_found *found, unsigned int size);

/*
 * Have an inotify(7) descriptor report (IN_CREATE) when a cgroup of this path or unit may exist
 * again. All existing directories above it are watched. A unit that does not run has no known
 * place, so for units all slices and users' managers are watched too. Call it again after each
 * event, since watches end with their directories. -ENOENT: there is none now. -ENODEV as above.
 * -ENOSPC: too many files are watched on this host.
 */
int cgroup_watch_path(int inotify, const char *path);
int cgroup_watch_unit(int inotify, const char *unit);

#endif
