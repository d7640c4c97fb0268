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
	bool any_level;	    /* not known: what this process sees as the root is none */
};

/*
 * The cgroup with this path, below the root of the hierarchy (as in /proc/PID/cgroup) or with the
 * place where that is mounted. -ENODEV: no hierarchy is mounted. -ENOENT: there is no such cgroup.
 */
int cgroup_by_path(const char *path, struct cgroup_found *ret_found);

/*
 * All cgroups of the unit, in the order in which they are found: a user's unit has one for each
 * user it runs for. `unit` is a whole name (nginx.service). Returns their number, which may be
 * above `size`, the places in `found`; 0: it does not run. -ENODEV: no hierarchy is mounted.
 */
int cgroups_by_unit(const char *unit, struct cgroup_found *found, unsigned int size);

/*
 * Have an inotify(7) descriptor tell (IN_CREATE) when a cgroup of this path, or of this unit, may
 * be there again: all directories above it that are there now are watched; above a unit, whose place
 * is not known where it does not run, all slices and users' managers, too. To be asked again after
 * each such event, since watches go with their directories. -ENOENT: there is none now.
 * -ENODEV as above. -ENOSPC: too many are watched on this host.
 */
int cgroup_watch_path(int inotify, const char *path);
int cgroup_watch_unit(int inotify, const char *unit);

#endif
