/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_search.h - cgroups by the name of their directory, wherever they are: systemd's units.
 *
 * Whoever has a part of the hierarchy (a user's manager, a container) makes cgroups with any names
 * in there, and as many as he likes. So a search tells which ones only root can have made, and the
 * others cannot make it look at more than so many of theirs.
 */
#ifndef NETLOG_CGROUP_SEARCH_H
#define NETLOG_CGROUP_SEARCH_H

#include <limits.h>
#include <sys/inotify.h>
#include <sys/types.h>

#include "host/cgroup.h"

#define CGROUP_WATCHED (IN_CREATE | IN_ONLYDIR)

/* Directories in one search: those that only root can have made, and those of all others. */
#define SEARCH_DIRECTORIES_MAX 200000
#define SEARCH_DIRECTORIES_OTHERS 16384
#define SEARCH_WATCHES_OTHERS 1024

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
	unsigned int others_max; /* 0: SEARCH_DIRECTORIES_OTHERS */
};

/*
 * All cgroups that are wanted, but for those below another one of the same name. -ENODEV: no
 * hierarchy is mounted. -ENOSPC: too many directories are watched on this host. -E2BIG: there are
 * more cgroups than it looks at; those that it has met have been told.
 */
int cgroup_search(const struct cgroup_search *search);

#endif
