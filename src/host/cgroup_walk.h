/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup_walk.h - all cgroups with their ids, some at a time.
 *
 * open_by_handle_at(2) would go straight from an id to its cgroup, but needs CAP_DAC_READ_SEARCH,
 * with which a process may read every file of the host: netlog has given up such things by then.
 */
#ifndef NETLOG_CGROUP_WALK_H
#define NETLOG_CGROUP_WALK_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CGROUP_DEPTH_MAX 32 /* what is deeper is left out */

/* Zeroed: no walk is going on. */
struct cgroup_walk {
	DIR *directories[CGROUP_DEPTH_MAX]; /* open, from the root down */
	size_t lengths[CGROUP_DEPTH_MAX];   /* of `path` there */
	unsigned int depth;		    /* of these; 0: at its end */
	char path[PATH_MAX];		    /* from the root, without the last slash */
};

/* In place: spaces and the like, which /proc/PID/mountinfo writes as \040, are themselves again. */
void mountinfo_decode(char *text);

/*
 * Where version 2 is mounted, as a path; of several places, the one that `path` lies in ("": the
 * first). -ENODEV when it is nowhere, or an error of open(2); *ret_path is "" then.
 */
int cgroup_mount_find(const char *path, char *ret_path, size_t size);

/* Is it that path, or below it? */
bool path_is_below(const char *path, const char *place);

/* Begin anew at `root`. An error of open(2). */
int cgroup_walk_begin(struct cgroup_walk *walk, const char *root);

/*
 * Look into `budget` directories, and tell `found` of each cgroup in there: its id and its path
 * ("/" is the root). Returns whether there is more.
 */
bool cgroup_walk_go_on(struct cgroup_walk *walk, unsigned int budget,
		       void (*found)(void *context, uint64_t id, const char *path), void *context);

void cgroup_walk_end(struct cgroup_walk *walk);

#endif
