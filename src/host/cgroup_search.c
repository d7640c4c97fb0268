// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"

#define DEPTH_MAX 64 /* more than anybody has; the kernel's own limit can be set to any number */

struct searching {
	const struct cgroup_search *search;
	unsigned int left[2], watches[2]; /* that may still be met; [true]: of root's */
	bool any_level;
	int error;
	char path[PATH_MAX]; /* from the root */
};

/* Where a search is. */
struct level {
	unsigned int number;
	size_t length;	  /* of the path */
	bool of_root;	  /* nobody else can make cgroups in there */
	bool slice;	  /* units may come there */
	const char *unit; /* the wanted one that it lies in; NULL: none */
};

/* By the descriptor: the path may lead elsewhere by now. */
static void directory_watch(struct searching *s, int fd, bool of_root)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(fd)];

	if (s->search->inotify < 0 || !s->watches[of_root])
		return;
	s->watches[of_root]--;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (inotify_add_watch(s->search->inotify, path, CGROUP_WATCHED) < 0)
		s->error = -errno;
}

/*
 * May units come there, of systemd or of a user's own? They are found only if their directory is
 * watched by then: the unit's cgroup comes after its slice's, which may take a user's login.
 */
static bool is_slice(const char *directory)
{
	const char *type = strrchr(directory, '.');

	return type && (!strcmp(type, ".slice") ||
			(!strcmp(type, ".service") && !strncmp(directory, "user@", 5)));
}

/* Can anybody but root make cgroups in there? A manager of a user's owns its part of the tree. */
static bool is_of_root(int fd, uid_t root)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_uid == root &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH));
}

/* One that the search wants. Returns whether it has been told. */
static bool unit_tell(struct searching *s, int fd, const char *directory, const struct level *level)
{
	struct stat status;

	if ((level->unit && !strcmp(level->unit, directory)) ||
	    !s->search->wanted(s->search->context, directory) ||
	    fstatat(fd, directory, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	s->search->found(s->search->context, directory,
			 &(struct cgroup_found){ .id = status.st_ino,
						 .level = level->number,
						 .any_level = s->any_level },
			 s->path, level->of_root);
	return true;
}

static void directory_search(struct searching *s, int fd, const struct level *level);

/* An entry of a directory. Returns whether it is a wanted cgroup. */
static bool entry_search(struct searching *s, int fd, const struct dirent *entry,
			 const struct level *level)
{
	struct level below = {
		.number = level->number + 1,
		.length = level->length + 1 + strlen(entry->d_name),
		.slice = is_slice(entry->d_name),
		.unit = level->unit,
	};
	bool told;

	if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
	    !strcmp(entry->d_name, "..") || below.length >= sizeof(s->path))
		return false;
	if (!s->left[level->of_root]) {
		s->error = s->error ?: -E2BIG;
		return false;
	}
	s->left[level->of_root]--;
	s->path[level->length] = '/';
	strcpy(s->path + level->length + 1, entry->d_name);
	told = unit_tell(s, fd, entry->d_name, level);
	if (told)
		below.unit = entry->d_name;
	below.of_root = level->of_root;
	if (level->number < DEPTH_MAX)
		directory_search(s, openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				 &below);
	s->path[level->length] = 0;
	return told;
}

/* Takes the descriptor. */
static void directory_search(struct searching *s, int fd, const struct level *level)
{
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct level here = *level;
	struct dirent *entry;
	bool any = false;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return; /* gone in the meantime */
	}
	here.of_root = level->of_root && is_of_root(fd, s->search->owner);
	if (here.slice || here.of_root) /* before the look, which meets what comes until then */
		directory_watch(s, fd, here.of_root);
	while ((entry = readdir(directory)))
		any |= entry_search(s, fd, entry, &here);
	if (any && !here.slice && !here.of_root)
		directory_watch(s, fd, here.of_root);
	closedir(directory);
}

int cgroup_search(const struct cgroup_search *search)
{
	struct searching s = {
		.search = search,
		.left = { [false] = search->others_max ?: SEARCH_DIRECTORIES_OTHERS,
			  [true] = SEARCH_DIRECTORIES_MAX },
		.watches = { [false] = SEARCH_WATCHES_OTHERS, [true] = UINT_MAX },
	};
	const struct level root = { .number = 1, .of_root = true, .slice = true };
	struct hierarchy hierarchy = {};
	int r = search->root ? 0 : hierarchy_find("", &hierarchy);

	if (r < 0)
		return r;
	s.any_level = hierarchy.any_level;
	directory_search(&s,
			 open(search->root ?: hierarchy.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			 &root);
	return s.error;
}
