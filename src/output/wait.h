/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.h - waiting for slow outputs, and for readers that leave.
 */
#ifndef NETLOG_WAIT_H
#define NETLOG_WAIT_H

#include <poll.h>

#include "output/output.h"

#define OUTPUT_LINGER_NS (2 * NSEC_PER_SEC) /* at the end, for a reader that takes nothing */

/*
 * The events of poll(2) to watch the sink for: POLLOUT while it is slow, 0 for its reader's
 * leaving, which poll(2) always reports. -1: nothing to watch.
 */
int sink_watch_events(const struct sink *sink);

/* The events that occurred. */
void sink_watch_result(struct sink *sink, unsigned int events, uint64_t now_ns);

/*
 * poll(2) for the first `count` of `fds`, which must have room for OUTPUT_SINKS_MAX more, and until
 * an output takes more or its reader leaves. A negative errno.
 */
int output_wait(struct output *output, struct pollfd *fds, unsigned int count, int timeout_ms);

/*
 * For the end: output_wait() for a moment. False if nothing is worth waiting for: outputs that
 * still hold lines have taken none for OUTPUT_LINGER_NS, or have been failing since `since_ns`.
 */
bool output_linger(struct output *output, uint64_t since_ns);

#endif
