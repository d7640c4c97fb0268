/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_walk.h - all cgroups with their ids, a few at a time.
 *
 * open_by_handle_at(2) would lead straight from an id to its cgroup, but needs CAP_DAC_READ_SEARCH,
 * which lets a process read every file of the host: netlog has given up such capabilities by then.
 */
#ifndef NETLOG_CGROUP_WALK_H
#define NETLOG_CGROUP_WALK_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_DEPTH_MAX 32 /* deeper ones are left out */

/* Zeroed: no walk is under way. */
struct cgroup_walk {
	DIR *directories[CGROUP_DEPTH_MAX]; /* open directories, from the root down */
	size_t lengths[CGROUP_DEPTH_MAX];   /* length of `path` at each */
	unsigned int depth;		    /* directories open; 0: the walk is over */
	char path[PATH_MAX];		    /* from the root, without the last slash */
};

/* Replaces \040 and the like, which /proc/PID/mountinfo writes for blanks, in place. */
void mountinfo_decode(char *text);

/*
 * Where version 2 is mounted; if at several places, the one that contains `path` ("": the first).
 * -ENODEV if it is not mounted, or an error of open(2); then *ret_path is "".
 */
int cgroup_mount_find(const char *path, char *ret_path, size_t size);

/* Is `path` the same as `place`, or below it? */
bool path_is_below(const char *path, const char *place);

/* Begin a new walk at `root`. An error of open(2). */
int cgroup_walk_begin(struct cgroup_walk *walk, const char *root);

/*
 * Read `budget` directories, and call `found` for each cgroup in them, with its id and path ("/"
 * for the root). Returns whether there is more to walk.
 */
bool cgroup_walk_go_on(struct cgroup_walk *walk, unsigned int budget,
		       void (*found)(void *context, uint64_t id, const char *path), void *context);

void cgroup_walk_end(struct cgroup_walk *walk);

#endif
