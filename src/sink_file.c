// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sink_file.c - lines appended to a file, which others may rotate, read and append to as well.
 */
#include <errno.h>
#include <fcntl.h>

#include "sink_stream.h"

int sink_file_open(const char *path, size_t line_max, struct sink **ret_sink)
{
	_cleanup_close_ int fd = -1;
	int r;

	/* O_NONBLOCK matters if the path is a pipe: without a reader, ENXIO and not a wait */
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0640);
	if (fd < 0)
		return -errno;
	r = sink_stream_new(fd, true, line_max, ret_sink);
	if (r < 0)
		return r;
	fd = -1;
	return 0;
}
