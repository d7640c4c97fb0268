/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink_stream.h - a sink on a file descriptor; stdout and files are such.
 */
#ifndef NETLOG_SINK_STREAM_H
#define NETLOG_SINK_STREAM_H

#include "output.h"

/*
 * A sink that writes to `fd`, which it closes when it is freed if `owned`. -ENOMEM, or an error of
 * fstat(2); the fd is the caller's then.
 */
int sink_stream_new(int fd, bool owned, size_t line_max, struct sink **ret_sink);

#endif
