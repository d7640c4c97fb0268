// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/util.h"

#define NAMES_DIRECTORY "/run/netns/" /* ip-netns(8) */

/* ---- what paths of processes have led to ---- */

#define KNOWN_MAX 64 /* more than a configuration has, and its outputs */

static struct {
	char *path;
	uint32_t number;
	int process; /* its directory, which does not become that of the next one with its number */
} known[KNOWN_MAX];

/* Opens /proc/PID of a path that lies below it; -1: there is none. */
static int process_open(const char *path)
{
	static const char proc[] = "/proc/";
	size_t digits;
	char directory[sizeof(proc) + 16];

	if (strncmp(path, proc, strlen(proc)) != 0)
		return -1;
	digits = strspn(path + strlen(proc), "0123456789");
	if (!digits || digits > 10 || path[strlen(proc) + digits] != '/')
		return -1;
	snprintf(directory, sizeof(directory), "%.*s", (int)(strlen(proc) + digits), path);
	return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void known_forget(unsigned int i)
{
	free(known[i].path);
	known[i].path = NULL;
	cleanup_close(&known[i].process);
}

/* An entry of a process that has ended cannot be found any more. */
static bool known_lives(int place)
{
	return faccessat(known[place].process, "stat", F_OK, 0) == 0;
}

/* The path's place; else an empty one, or one whose process has ended; or -1. */
static int known_place(const char *path)
{
	int empty = -1, ended = -1;

	for (int i = 0; i < KNOWN_MAX; i++)
		if (!known[i].path)
			empty = i;
		else if (!strcmp(known[i].path, path))
			return i;
	for (int i = 0; i < KNOWN_MAX && empty < 0 && ended < 0; i++)
		if (!known_lives(i))
			ended = i;
	return empty >= 0 ? empty : ended;
}

static void known_set(const char *path, uint32_t number)
{
	int process = process_open(path), place = process < 0 ? -1 : known_place(path);

	if (place >= 0 && known[place].path)
		known_forget((unsigned int)place);
	if (place >= 0)
		known[place].path = strdup(path);
	if (place < 0 || !known[place].path) {
		cleanup_close(&process);
		return;
	}
	known[place].number = number;
	known[place].process = process;
}

static int known_get(const char *path, uint32_t *ret_number)
{
	int place = known_place(path);

	if (place < 0 || !known[place].path || strcmp(known[place].path, path) != 0 ||
	    !known_lives(place))
		return -ENOENT;
	*ret_number = known[place].number;
	return 0;
}

/* ---- a path ---- */

static int number_read(const char *path, uint32_t *ret_number)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return errno == ENOTDIR || errno == ENXIO ? -ENOENT : -errno;
	if (fstat(fd, &status) < 0)
		return -errno;
	/* regular files only: a device's driver could take the ioctl for one of its own */
	if (!S_ISREG(status.st_mode) || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET)
		return -EINVAL;
	*ret_number = (uint32_t)status.st_ino;
	return 0;
}

int netns_by_name(const char *name, uint32_t *ret_number)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (!*name)
		return -ENOENT;
	if (asprintf(&path, "%s%s", strchr(name, '/') ? "" : NAMES_DIRECTORY, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = number_read(path, ret_number);
	if (r == 0)
		known_set(path, *ret_number);
	else if ((r == -EACCES || r == -EPERM) && known_get(path, ret_number) == 0)
		r = 0;
	return r;
}
