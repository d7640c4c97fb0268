// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/wait.h"

#include <errno.h>

#include "base/clock.h"

#define LINGER_POLL_MS 100

int sink_watch_events(const struct sink *sink)
{
	if (sink_is_slow(sink))
		return POLLOUT;
	/* a failing one may well be writable, all the time */
	return sink->ops->ends_run && sink->state != SINK_GONE ? 0 : -1;
}

void sink_watch_result(struct sink *sink, unsigned int events, uint64_t now_ns)
{
	if (sink->ops->ends_run && events & (POLLERR | POLLHUP))
		sink_step(sink, -EPIPE, now_ns);
}

int output_wait(struct output *output, struct pollfd *fds, unsigned int count, int timeout_ms)
{
	struct pollfd *fd = fds + count;
	int r;

	for_each_sink(output, sink) {
		int events = sink_watch_events(sink);

		*fd++ = (struct pollfd){ events < 0 ? -1 : sink->ops->fd(sink), (short)events, 0 };
	}
	r = poll(fds, (nfds_t)(fd - fds), timeout_ms);
	if (r < 0)
		return -errno;
	fd = fds + count;
	for_each_sink(output, sink)
		sink_watch_result(sink, (unsigned short)fd++->revents, clock_boot_ns());
	return r;
}

static bool worth_lingering(const struct sink *sink, uint64_t since_ns)
{
	if (sink_is_slow(sink))
		since_ns = sink->took_ns;
	else if (sink->state != SINK_FAILING)
		return false;
	return sink->ops->fd(sink) >= 0 && clock_boot_ns() - since_ns < OUTPUT_LINGER_NS;
}

bool output_linger(struct output *output, uint64_t since_ns)
{
	struct pollfd fds[OUTPUT_SINKS_MAX];
	bool worth = false;

	for_each_sink(output, sink)
		worth |= worth_lingering(sink, since_ns);
	if (worth)
		output_wait(output, fds, 0, LINGER_POLL_MS);
	return worth;
}
