/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * proc.h - files of /proc, of which no size is known before they have been read.
 */
#ifndef NETLOG_PROC_H
#define NETLOG_PROC_H

#include <sys/types.h>

/*
 * Read at most `size` bytes of a file in that directory, as for openat(2). Returns their number, or
 * an error: -errno of open(2) or read(2).
 */
ssize_t proc_read(int directory, const char *name, char *bytes, size_t size);

#endif
