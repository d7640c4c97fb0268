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

#endif
