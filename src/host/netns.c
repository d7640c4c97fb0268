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

int netns_by_name(const char *name, uint32_t *ret_number)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_close_ int fd = -1;
	struct stat status;

	if (!*name)
		return -ENOENT;
	if (asprintf(&path, "%s%s", strchr(name, '/') ? "" : NAMES_DIRECTORY, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
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
