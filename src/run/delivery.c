// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/delivery.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "output/wait.h"

#define RETRY_INTERVAL_US USEC_PER_SEC /* between two attempts with a failing output */

_Static_assert(POLLOUT == EPOLLOUT && POLLERR == EPOLLERR && POLLHUP == EPOLLHUP,
	       "sink_watch_events() and sink_watch_result() are for epoll(7), too");

static void retry_in(struct delivery *delivery, uint64_t us)
{
	if (sd_event_source_get_enabled(delivery->retry, NULL) != SD_EVENT_OFF &&
	    delivery->retry_us <= us)
		return;
	delivery->retry_us = us;
	sd_event_source_set_time_relative(delivery->retry, us);
	sd_event_source_set_enabled(delivery->retry, SD_EVENT_ONESHOT);
}

/* Watch slow outputs, and set the timer for those that fail or will soon be given up. */
static void watch_update(struct delivery *delivery)
{
	struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(delivery->output, i)); i++) {
		uint64_t patience_us = sink->patience_ns / NSEC_PER_USEC;
		int events = sink_watch_events(sink);

		if (sink->state == SINK_FAILING)
			retry_in(delivery, RETRY_INTERVAL_US);
		else if (sink_is_waited_for(sink))
			retry_in(delivery,
				 patience_us < RETRY_INTERVAL_US ? patience_us : RETRY_INTERVAL_US);
		if (!delivery->watched[i])
			continue;
		sd_event_source_set_io_events(delivery->watched[i], events > 0 ? EPOLLOUT : 0);
		sd_event_source_set_enabled(delivery->watched[i],
					    events < 0 ? SD_EVENT_OFF : SD_EVENT_ON);
	}
}

/* A file that was opened anew may be a pipe now, or was one. */
static bool watched_others(const struct delivery *delivery)
{
	const struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(delivery->output, i)); i++)
		if (sink->ops->fd(sink) != delivery->fds[i])
			return true;
	return false;
}

void delivery_flush(struct delivery *delivery)
{
	output_flush(delivery->output, clock_boot_ns());
	/* one that cannot be watched is tried again all the same, by the timer */
	if (!watched_others(delivery) || delivery_rewatch(delivery) < 0)
		watch_update(delivery);
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct delivery *delivery = context;
	struct sink *sink;

	(void)fd;
	for (unsigned int i = 0; (sink = output_sink(delivery->output, i)); i++)
		if (delivery->watched[i] == source)
			sink_watch_result(sink, events, clock_boot_ns());
	delivery->on_due(delivery->context);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t us, void *context)
{
	struct delivery *delivery = context;

	(void)source;
	(void)us;
	delivery->on_due(delivery->context); /* the flush sets the timer again if needed */
	return 0;
}

void delivery_unwatch(struct delivery *delivery)
{
	for (unsigned int i = 0; i < OUTPUT_SINKS_MAX; i++)
		delivery->watched[i] = sd_event_source_disable_unref(delivery->watched[i]);
}

int delivery_rewatch(struct delivery *delivery)
{
	const struct sink *sink;

	delivery_unwatch(delivery);
	for (unsigned int i = 0; (sink = output_sink(delivery->output, i)); i++) {
		int fd = sink->ops->fd(sink), r;

		delivery->fds[i] = fd;
		if (fd < 0)
			continue;
		r = sd_event_add_io(delivery->loop, &delivery->watched[i], fd, 0, on_output,
				    delivery);
		if (r < 0 && r != -EPERM)
			return r;
	}
	watch_update(delivery);
	return 0;
}

int delivery_init(struct delivery *delivery)
{
	int r = sd_event_add_time_relative(delivery->loop, &delivery->retry, CLOCK_MONOTONIC, 0, 1,
					   on_retry, delivery);

	if (r < 0)
		return r;
	sd_event_source_set_enabled(delivery->retry, SD_EVENT_OFF);
	return delivery_rewatch(delivery);
}

void delivery_done(struct delivery *delivery)
{
	delivery_unwatch(delivery);
	delivery->retry = sd_event_source_disable_unref(delivery->retry);
}

void delivery_finish(struct output *removed)
{
	uint64_t since_ns = clock_boot_ns();

	while (output_flush(removed, clock_boot_ns()) == -EAGAIN &&
	       clock_boot_ns() - since_ns < SINK_PATIENCE_NS && output_linger(removed, since_ns)) {
	}
	output_stop(removed);
}
