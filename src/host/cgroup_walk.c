// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/cgroup_walk.h"

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
	fclose(file);
	return ret_path[0] ? 0 : -ENODEV;
}

/* Closes the descriptor. */
static int walk_enter(struct cgroup_walk *walk, int fd)
{
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

	if (!directory) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	walk->lengths[walk->depth] = strlen(walk->path);
	walk->directories[walk->depth++] = directory;
	return 0;
}

int cgroup_walk_begin(struct cgroup_walk *walk, const char *root)
{
	cgroup_walk_end(walk);
	walk->path[0] = 0;
	return walk_enter(walk, open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* The root has no entry in any directory, so it is reported by itself. */
static void root_tell(struct cgroup_walk *walk,
		      void (*found)(void *context, uint64_t id, const char *path), void *context)
{
	struct stat status;

	if (walk->depth == 1 && telldir(walk->directories[0]) == 0 &&
	    fstat(dirfd(walk->directories[0]), &status) == 0)
		found(context, status.st_ino, "/");
}

bool cgroup_walk_go_on(struct cgroup_walk *walk, unsigned int budget,
		       void (*found)(void *context, uint64_t id, const char *path), void *context)
{
	root_tell(walk, found, context);
	while (walk->depth && budget) {
		unsigned int at = walk->depth - 1;
		struct dirent *entry = readdir(walk->directories[at]);
		size_t length = walk->lengths[at];

		walk->path[length] = 0;
		if (!entry) {
			closedir(walk->directories[at]);
			walk->depth--;
			continue;
		}
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") ||
		    !strcmp(entry->d_name, "..") ||
		    length + 1 + strlen(entry->d_name) >= sizeof(walk->path))
			continue;
		walk->path[length] = '/';
		strcpy(walk->path + length + 1, entry->d_name);
		found(context, entry->d_ino, walk->path);
		budget--;
		if (walk->depth < CGROUP_DEPTH_MAX) /* it may be gone by now, which is fine */
			walk_enter(walk, openat(dirfd(walk->directories[at]), entry->d_name,
						O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	}
	return walk->depth;
}

void cgroup_walk_end(struct cgroup_walk *walk)
{
	while (walk->depth)
		closedir(walk->directories[--walk->depth]);
}
