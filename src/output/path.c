// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/util.h"

#define LINKS_MAX 40 /* as the kernel's own MAXSYMLINKS */

/* O_NONBLOCK matters if the path is a pipe: without a reader, ENXIO and not a wait */
#define APPEND_FLAGS (O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)

static int open_for_appending(const char *path, int flags)
{
	int fd = open(path, APPEND_FLAGS | flags, 0640);

	return fd < 0 ? -errno : fd;
}

/* Those of procfs, such as /dev/stdout ends in, name no path; but nobody else can make them. */
static bool is_kernels(int link)
{
	struct statfs system;

	return fstatfs(link, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

/* Where does the link lead? The link itself is held, so that it cannot be another one meanwhile. */
static int link_read(int link, const char *path, char *ret_path)
{
	const char *slash = strrchr(path, '/');
	char target[PATH_MAX];
	ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);
	int all;

	if (length < 0)
		return -errno;
	target[length] = 0;
	if (target[0] == '/' || !slash)
		all = snprintf(ret_path, PATH_MAX, "%s", target);
	else
		all = snprintf(ret_path, PATH_MAX, "%.*s/%s", (int)(slash - path), path, target);
	return all < PATH_MAX ? 0 : -ENAMETOOLONG;
}

enum link { LINK_NONE, LINK_KERNELS, LINK_FOLLOWED };

/* Follow the link that the path ends with, if it does: enum link, or a negative errno. */
static int link_follow(char *path)
{
	_cleanup_close_ int link = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char next[PATH_MAX];
	struct stat status;
	int r;

	if (link < 0 || fstat(link, &status) < 0)
		return -errno;
	if (!S_ISLNK(status.st_mode))
		return LINK_NONE;
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return -ELOOP;
	if (is_kernels(link))
		return LINK_KERNELS;
	r = link_read(link, path, next);
	if (r < 0)
		return r;
	strcpy(path, next);
	return LINK_FOLLOWED;
}

/* Where the last link leads to may have no path: a link of the kernel's is opened as it is. */
static int open_real(char *real)
{
	int fd = -ELOOP;

	for (int i = 0; i <= LINKS_MAX && fd == -ELOOP; i++) {
		int r;

		fd = open_for_appending(real, O_NOFOLLOW);
		r = fd == -ELOOP ? link_follow(real) : LINK_NONE;
		if (r < 0)
			return r;
		if (r == LINK_KERNELS)
			return open_for_appending(real, 0);
	}
	return fd;
}

int path_open(const char *path, char **ret_real)
{
	char real[PATH_MAX];
	int fd;

	if (strlen(path) >= sizeof(real))
		return -ENAMETOOLONG;
	fd = open_real(strcpy(real, path));
	if (fd < 0)
		return fd;
	*ret_real = strdup(real);
	if (*ret_real)
		return fd;
	close(fd);
	return -ENOMEM;
}

int path_find(const char *path, char **ret_real)
{
	char real[PATH_MAX];
	int r = LINK_FOLLOWED;

	if (strlen(path) >= sizeof(real))
		return -ENAMETOOLONG;
	strcpy(real, path);
	for (int i = 0; i <= LINKS_MAX && r == LINK_FOLLOWED; i++)
		r = link_follow(real);
	if (r == LINK_FOLLOWED)
		return -ELOOP;
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_real = strdup(real);
	return *ret_real ? 0 : -ENOMEM;
}

int path_open_again(int fd, int flags)
{
	char path[32];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return again < 0 ? -errno : again;
}
