// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/util.h"

bool path_is_below(const char *path, const char *place)
{
	size_t length = strlen(place);

	return !strncmp(path, place, length) && (!path[length] || path[length] == '/');
}

void mountinfo_decode(char *text)
{
	char *to = text;

	for (const char *p = text; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = 0;
}

int cgroup_mount_find(const char *path, char *ret_path, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t line_size = 0;
	int r;

	ret_path[0] = 0;
	if (!file)
		return -errno;
	while (getline(&line, &line_size, file) > 0) {
		char root[PATH_MAX], place[PATH_MAX];

		/* id, parent, device, root within the file system, place ... - type */
		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, place) != 2)
			continue;
		mountinfo_decode(place);
		if (!strcmp(root, "/") && strlen(place) < size &&
		    (!ret_path[0] || path_is_below(path, place)))
			strcpy(ret_path, place);
	}
	r = feof(file) ? -ENODEV : -ENOMEM; /* nothing else fails there */
	fclose(file);
	return ret_path[0] ? 0 : r;
}

struct walking {
	const struct cgroup_walk *walk;
	unsigned int left[2]; /* that may still be met; [true]: of root's */
	bool over;
	int error;
	char path[PATH_MAX];
};

/* A directory that is read. */
struct level {
	unsigned int number;
	size_t length; /* of the path, without a slash behind it */
	bool of_root;  /* nobody else can make cgroups in there */
};

/* Can anybody but root make cgroups in there? A manager of a user's owns its part of the tree. */
static bool is_of_root(int fd, uid_t root)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_uid == root &&
	       !(status.st_mode & (S_IWGRP | S_IWOTH));
}

static void directory_walk(struct walking *w, int fd, const struct level *level);

/* Returns whether others of the same directory are worth looking at. */
static bool entry_walk(struct walking *w, int fd, const struct dirent *entry,
		       const struct level *level)
{
	struct level below = {
		.number = level->number + 1,
		.length = level->length + 1 + strlen(entry->d_name),
		.of_root = level->of_root,
	};
	const struct cgroup_visit visit = {
		.path = w->path,
		.name = entry->d_name,
		.id = entry->d_ino,
		.level = below.number,
		.of_root = level->of_root,
	};

	if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
	    !strcmp(entry->d_name, "..") || below.length >= sizeof(w->path))
		return true;
	if (!w->left[level->of_root]) {
		w->error = -E2BIG;
		return false;
	}
	w->left[level->of_root]--;
	w->path[level->length] = '/';
	strcpy(w->path + level->length + 1, entry->d_name);
	w->over = !w->walk->found(w->walk->context, &visit);
	if (!w->over && below.number < CGROUP_DEPTH_MAX)
		directory_walk(w, openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			       &below);
	w->path[level->length] = 0;
	return !w->over;
}

/* A cgroup may be gone by now, or closed to us. But those whom only a shortage hides are there. */
static void on_unread(struct walking *w, int error)
{
	if (!error_is_shortage(error))
		return;
	w->error = error;
	w->over = true;
}

/* Takes the descriptor; negative: errno says why there is none. */
static void directory_walk(struct walking *w, int fd, const struct level *level)
{
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct cgroup_walk *walk = w->walk;
	struct level here = *level;
	struct dirent *entry;

	if (!directory) {
		on_unread(w, -errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	here.of_root = level->of_root && is_of_root(fd, walk->owner);
	if (walk->enter)
		walk->enter(walk->context, fd, here.number, here.of_root);
	while ((entry = readdir(directory)) && entry_walk(w, fd, entry, &here))
		;
	if (walk->leave && !w->over)
		walk->leave(walk->context, fd, here.number, here.of_root);
	closedir(directory);
}

int cgroup_walk(const struct cgroup_walk *walk)
{
	struct walking w = {
		.walk = walk,
		.left = { [false] = walk->most_others ?: WALK_OTHERS_MAX,
			  [true] = walk->most ?: WALK_MAX },
	};
	struct cgroup_visit root = { .path = "/", .name = "", .of_root = true };
	int fd = open(walk->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return -errno;
	/* it has no entry in any directory, so it is told by itself */
	if (fstat(fd, &status) == 0)
		root.id = status.st_ino;
	if (!walk->found(walk->context, &root)) {
		close(fd);
		return 0;
	}
	directory_walk(&w, fd, &(struct level){ .of_root = true });
	return w.error;
}
