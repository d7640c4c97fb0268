/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_walk.h - all cgroups of the hierarchy with their ids: for their names, and for units.
 *
 * open_by_handle_at(2) would lead straight from an id to its cgroup, but needs CAP_DAC_READ_SEARCH,
 * which lets a process read every file of the host: netlog has given up such capabilities by then.
 *
 * Whoever has a part of the hierarchy (a user's manager, a container) makes cgroups with any names
 * in there, and as many as he likes. So a walk tells which ones only root can have made, and the
 * others cannot make it look at more than so many of theirs. It takes as long as there are cgroups:
 * while events come, a thread makes it.
 */
#ifndef NETLOG_CGROUP_WALK_H
#define NETLOG_CGROUP_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CGROUP_DEPTH_MAX 64 /* deeper ones are left out; nobody has them */

/* Cgroups that one walk looks at: those that only root can have made, and those of all others. */
#define WALK_MAX 200000
#define WALK_OTHERS_MAX 16384

/* Replaces \040 and the like, which /proc/PID/mountinfo writes for blanks, in place. */
void mountinfo_decode(char *text);

/*
 * Where version 2 is mounted; if at several places, the one that contains `path` ("": the first).
 * -ENODEV if it is not mounted, or an error of open(2); then *ret_path is "".
 */
int cgroup_mount_find(const char *path, char *ret_path, size_t size);

/* Is `path` the same as `place`, or below it? */
bool path_is_below(const char *path, const char *place);

/* A cgroup that a walk has come to. */
struct cgroup_visit {
	const char *path; /* from the root, which is "/" */
	const char *name; /* the path's last part; valid until those below have been walked */
	uint64_t id;
	unsigned int level; /* below the root, which is 0 */
	bool of_root;	    /* nobody but root can have made it, nor anything above it */
};

struct cgroup_walk {
	const char *root;		/* where the hierarchy is mounted */
	uid_t owner;			/* who counts as root */
	unsigned int most, most_others; /* 0: as above */
	/* Called for each cgroup, before those below it. False: the walk ends here. */
	bool (*found)(void *context, const struct cgroup_visit *cgroup);
	/*
	 * Called before and after the directory is read of a cgroup at this level. `of_root`:
	 * nobody else can make cgroups in there. NULL: not needed.
	 */
	void (*enter)(void *context, int fd, unsigned int level, bool of_root);
	void (*leave)(void *context, int fd, unsigned int level, bool of_root);
	void *context;
};

/*
 * -E2BIG: there are more cgroups than are looked at; those met have been told. -EMFILE, -ENFILE,
 * -ENOMEM: not all could be read for want of these, and any may be there. Another error of open(2):
 * the root cannot be read.
 */
int cgroup_walk(const struct cgroup_walk *walk);

#endif
