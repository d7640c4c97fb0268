/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path.h - the file that a path names, where others may rename, replace and link.
 */
#ifndef NETLOG_PATH_H
#define NETLOG_PATH_H

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Open for appending, and make it with mode 0640 if there is none. *ret_real, which the caller
 * frees, is its path without a symbolic link at the end. A link is followed if root or our own user
 * has made it: of anybody else's, -ELOOP, for it would have us write wherever he likes. -ENXIO: a
 * pipe that nobody reads.
 */
int path_open(const char *path, char **ret_real);

/*
 * Where path_open() would open or make it, without doing so: *ret_real, which the caller frees, as
 * there. -ELOOP as there; other errors of what leads there, but it need not be there itself.
 */
int path_find(const char *path, char **ret_real);

/* What it is called in its directory; empty behind a slash at the end. */
static inline const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Are these one file? */
static inline bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Open again what `fd` has open, whatever has become of its path: a file description of our own,
 * non-blocking. `flags`: O_RDONLY or O_WRONLY. A negative errno.
 */
int path_open_again(int fd, int flags);

#endif
