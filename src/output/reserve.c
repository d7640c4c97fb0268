// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

bool reserve_refused(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

/* Of the process' limit, fallocate(2) knows nothing; anybody may change it while we run. */
static bool within_limit(off_t at, size_t length)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	       (rlim_t)at + length <= limit.rlim_cur;
}

int reserve(int fd, off_t at, size_t length)
{
	int r;

	if (!within_limit(at, length))
		return -EFBIG;
	do
		r = fallocate(fd, FALLOC_FL_KEEP_SIZE, at, (off_t)length) < 0 ? -errno : 0;
	while (r == -EINTR);
	/* whatever else is wrong, write(2) will say */
	return r == 0 || reserve_refused(r) ? r : -EOPNOTSUPP;
}
