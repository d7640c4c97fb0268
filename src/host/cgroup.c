// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/util.h"
#include "host/cgroup_search.h"
#include "host/cgroup_walk.h"

#define ROOT_ID 1 /* of the true root: kernfs_create_root(), fs/kernfs/dir.c */

int hierarchy_find(const char *path, struct hierarchy *ret_hierarchy)
{
	struct stat status;
	int r = cgroup_mount_find(path, ret_hierarchy->path, sizeof(ret_hierarchy->path));

	if (r < 0)
		return r;
	if (stat(ret_hierarchy->path, &status) < 0)
		return -errno;
	ret_hierarchy->any_level = status.st_ino != ROOT_ID;
	return 0;
}

static unsigned int components_count(const char *path)
{
	unsigned int count = 0;

	for (const char *p = path; *p; p++)
		count += *p != '/' && (p == path || p[-1] == '/');
	return count;
}

/* The cgroup's directory, whether it exists or not. `path` may begin with the mount point. */
static int directory_path(const char *path, struct hierarchy *ret_hierarchy, char **ret_path)
{
	int r = hierarchy_find(path, ret_hierarchy);

	if (r < 0)
		return r;
	if (path_is_below(path, ret_hierarchy->path))
		path += strlen(ret_hierarchy->path);
	return asprintf(ret_path, "%s/%s", ret_hierarchy->path, path) < 0 ? -ENOMEM : 0;
}

/* The cgroup's directory, without dots and double slashes, which would count as levels. */
static int directory_find(const char *path, struct hierarchy *ret_hierarchy, char **ret_directory)
{
	_cleanup_free_ char *below = NULL;
	char *directory, *made;
	int r = directory_path(path, ret_hierarchy, &made);

	if (r < 0)
		return r;
	below = made;
	directory = realpath(below, NULL);
	if (!directory)
		return errno == ENOMEM ? -ENOMEM : -ENOENT;
	*ret_directory = directory;
	return 0;
}

int cgroup_by_path(const char *path, struct cgroup_found *ret_found)
{
	struct hierarchy hierarchy = {};
	_cleanup_free_ char *directory = NULL;
	struct statfs system;
	struct stat status;
	int r = directory_find(path, &hierarchy, &directory);

	if (r < 0)
		return r;
	if (!path_is_below(directory, hierarchy.path) || stat(directory, &status) < 0 ||
	    !S_ISDIR(status.st_mode) || statfs(directory, &system) < 0 ||
	    (unsigned int)system.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOENT;
	*ret_found = (struct cgroup_found){
		.id = status.st_ino,
		.level = components_count(directory + strlen(hierarchy.path)),
		.any_level = hierarchy.any_level,
	};
	return 0;
}

/*
 * From the root down: a directory made before its parent is watched is found here, a later one is
 * reported by inotify.
 */
int cgroup_watch_path(int inotify, const char *path)
{
	struct hierarchy hierarchy = {};
	_cleanup_free_ char *directory = NULL;
	char *made;
	int r = directory_path(path, &hierarchy, &made);

	if (r < 0)
		return r;
	directory = made;
	for (char *end = directory + strlen(hierarchy.path); end; end = strchr(end + 1, '/')) {
		*end = 0;
		if (inotify_add_watch(inotify, directory, CGROUP_WATCHED) < 0)
			return -errno;
		*end = '/';
	}
	return 0;
}
