/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * reserve.h - room in a file, had before anything is written there.
 *
 * A write(2) to a full disk takes what fits, which cuts a line in two. What was cut could only be
 * taken back by making the file shorter, and who follows a file that gets shorter reads it all
 * anew. So room is asked for first, and as many whole lines are written as there is room for.
 */
#ifndef NETLOG_RESERVE_H
#define NETLOG_RESERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Have room for so many bytes from `at` on; the file's length stays. -ENOSPC, -EDQUOT, -EFBIG:
 * there is none for all of them, perhaps for less. -EOPNOTSUPP: the file system does not tell.
 */
int reserve(int fd, off_t at, size_t length);

/* Is this error one of those that say that there is no room? */
bool reserve_refused(int error);

#endif
