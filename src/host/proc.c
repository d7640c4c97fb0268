// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "host/proc.h"

#include <errno.h>
#include <fcntl.h>

#include "base/util.h"

ssize_t proc_read(int directory, const char *name, char *bytes, size_t size)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && length < size) {
		n = read(fd, bytes + length, size - length);
		if (n > 0)
			length += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	return n < 0 ? -errno : (ssize_t)length;
}
