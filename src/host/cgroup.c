// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/util.h"
#include "host/cgroup_walk.h"

#define ROOT_ID 1 /* of the first root: kernfs_create_root(), fs/kernfs/dir.c */
#define WATCHED (IN_CREATE | IN_ONLYDIR)
#define DEPTH_MAX 64 /* deeper than any in use; the kernel's own limit can be any number */

struct hierarchy {
	char path[PATH_MAX]; /* where it is mounted */
	bool any_level;
};

/* Where the whole hierarchy is mounted; -ENODEV if it is not. */
static int hierarchy_find(const char *path, struct hierarchy *ret_hierarchy)
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
		if (inotify_add_watch(inotify, directory, WATCHED) < 0)
			return -errno;
		*end = '/';
	}
	return 0;
}

struct search {
	const char *unit;
	struct cgroup_found *found;
	unsigned int size, count;
	bool any_level;
	int inotify; /* negative: none */
	int error;   /* of inotify; 0: none */
};

/* By the descriptor, since the path may lead elsewhere by now. */
static void directory_watch(struct search *search, int fd)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];

	if (search->inotify < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (inotify_add_watch(search->inotify, path, WATCHED) < 0)
		search->error = -errno;
}

/*
 * May a directory hold units, of the system or of a user's manager? They are noticed only if it is
 * already watched when they appear: a unit's cgroup follows its slice's, which may only be made
 * when a user logs in.
 */
static bool is_slice(const char *directory)
{
	const char *type = strrchr(directory, '.');

	return type && (!strcmp(type, ".slice") ||
			(!strcmp(type, ".service") && !strncmp(directory, "user@", 5)));
}

/*
 * systemd puts an underscore before a unit's name that could be taken for one of the kernel's
 * files.
 */
static bool is_unit(const char *directory, const char *unit)
{
	return !strcmp(directory, unit) || (directory[0] == '_' && !strcmp(directory + 1, unit));
}

/*
 * Closes the descriptor. Whatever is below a unit's cgroup belongs to the unit, and is not
 * searched.
 */
static void directory_search(struct search *search, int fd, unsigned int level, bool slice)
{
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	unsigned int before = search->count;
	struct dirent *entry;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return; /* gone in the meantime */
	}
	if (slice) /* before searching, so that nothing can appear unnoticed in between */
		directory_watch(search, fd);
	while ((entry = readdir(directory))) {
		struct stat status;

		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, ".."))
			continue;
		if (!is_unit(entry->d_name, search->unit)) {
			if (level < DEPTH_MAX)
				directory_search(search,
						 openat(fd, entry->d_name,
							O_RDONLY | O_DIRECTORY | O_CLOEXEC),
						 level + 1, is_slice(entry->d_name));
			continue;
		}
		if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (search->count < search->size)
			search->found[search->count] = (struct cgroup_found){
				.id = status.st_ino,
				.level = level,
				.any_level = search->any_level,
			};
		search->count++;
	}
	if (search->count != before && !slice)
		directory_watch(search, fd);
	closedir(directory);
}

static int hierarchy_search(struct search *search)
{
	struct hierarchy hierarchy = {};
	int r = hierarchy_find("", &hierarchy);

	if (r < 0)
		return r;
	search->any_level = hierarchy.any_level;
	directory_search(search, open(hierarchy.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), 1, true);
	return 0;
}

int cgroups_by_unit(const char *unit, struct cgroup_found *found, unsigned int size)
{
	struct search search = { .unit = unit, .found = found, .size = size, .inotify = -1 };
	int r = hierarchy_search(&search);

	return r < 0 ? r : (int)search.count;
}

int cgroup_watch_unit(int inotify, const char *unit)
{
	struct search search = { .unit = unit, .inotify = inotify };
	int r = hierarchy_search(&search);

	if (r < 0)
		return r;
	return search.error ?: search.count ? 0 : -ENOENT;
}
