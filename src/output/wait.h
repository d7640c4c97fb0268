/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wait.h - waiting for outputs that are slow, or whose reader may go.
 */
#ifndef NETLOG_WAIT_H
#define NETLOG_WAIT_H

#include <poll.h>

#include "output/output.h"

#define OUTPUT_LINGER_NS (2 * NSEC_PER_SEC) /* at the end, for a reader that does not read */

/*
 * What the sink is to be watched for, in the bits of poll(2): POLLOUT while it is slow, and 0 for
 * its reader's going, which is always said. -1: nothing.
 */
int sink_watch_events(const struct sink *sink);

/* What has come of that. */
void sink_watch_result(struct sink *sink, unsigned int events, uint64_t now_ns);

/*
 * As poll(2) of the `count` first of `fds`, which has room for OUTPUT_SINKS_MAX more; also until an
 * output takes more or its reader goes. A negative errno.
 */
int output_wait(struct output *output, struct pollfd *fds, unsigned int count, int timeout_ms);

/*
 * For the end: the same, a moment long. False: there is nothing worth waiting for, as only those
 * hold lines that have taken none for OUTPUT_LINGER_NS, or failed all the time since `since_ns`.
 */
bool output_linger(struct output *output, uint64_t since_ns);

#endif
