/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_search.h - cgroups by the name of their directory, wherever they are: systemd's units.
 */
#ifndef NETLOG_CGROUP_SEARCH_H
#define NETLOG_CGROUP_SEARCH_H

#include <limits.h>
#include <sys/inotify.h>
#include <sys/types.h>

#include "host/cgroup.h"

#define CGROUP_WATCHED (IN_CREATE | IN_ONLYDIR)

#define SEARCH_WATCHES_OTHERS 1024 /* directories that others than root can have made */

struct hierarchy {
	char path[PATH_MAX]; /* where it is mounted */
	bool any_level;	     /* see struct cgroup_found */
};

/* Where the hierarchy is mounted, as a whole; -ENODEV when it is not. */
int hierarchy_find(const char *path, struct hierarchy *ret_hierarchy);

struct cgroup_search {
	bool (*wanted)(void *context, const char *directory); /* a cgroup of this name */
	/*
	 * There is one: `path` is from the root of the hierarchy. `of_root`: nobody but root can
	 * have made it, nor anything above it.
	 */
	void (*found)(void *context, const char *directory, const struct cgroup_found *found,
		      const char *path, bool of_root);
	void *context;
	/*
	 * Is told (IN_CREATE) when another one may have come: all slices and users' managers are
	 * watched, and what a wanted one lies in; negative: nobody is. Watches go with their
	 * directories: after each event the search has to be made again.
	 */
	int inotify;
	const char *root;	 /* of the hierarchy; NULL: where it is mounted */
	uid_t owner;		 /* who counts as root */
	unsigned int others_max; /* cgroups of others; 0: as in any walk */
};

/*
 * All cgroups that are wanted, but for those below another one of the same name. -ENODEV: no
 * hierarchy is mounted. -ENOSPC: too many directories are watched on this host. -E2BIG: there are
 * more cgroups than it looks at; those that it has met have been told. Other errors: as of
 * cgroup_walk().
 */
int cgroup_search(const struct cgroup_search *search);

#endif
