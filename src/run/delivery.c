// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/delivery.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#define RETRY_INTERVAL_US USEC_PER_SEC /* between tries with a failing output */
#define POLL_MS 100

static void retry_in(struct delivery *delivery, uint64_t us)
{
	if (sd_event_source_get_enabled(delivery->retry, NULL) != SD_EVENT_OFF &&
	    delivery->retry_us <= us)
		return;
	delivery->retry_us = us;
	sd_event_source_set_time_relative(delivery->retry, us);
	sd_event_source_set_enabled(delivery->retry, SD_EVENT_ONESHOT);
}

/* Watch a slow output for being writable, standard output also for its reader's going. */
static void watch_update(struct delivery *delivery)
{
	bool several = output_sink(delivery->output, 1), failing = false;
	const struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(delivery->output, i)); i++) {
		bool slow = sink_is_slow(sink);
		bool wanted = slow || (sink->ops->ends_run && sink->state != SINK_GONE);

		failing |= sink->state == SINK_FAILING;
		if (!delivery->watched[i])
			continue;
		sd_event_source_set_io_events(delivery->watched[i], slow ? EPOLLOUT : 0);
		sd_event_source_set_enabled(delivery->watched[i],
					    wanted ? SD_EVENT_ON : SD_EVENT_OFF);
	}
	/* one that all wait for may not be waited for any more, a while later */
	if (!output_ready(delivery->output))
		retry_in(delivery, several ? SINK_PATIENCE_NS / NSEC_PER_USEC : RETRY_INTERVAL_US);
	else if (failing)
		retry_in(delivery, RETRY_INTERVAL_US);
}

bool delivery_flush(struct delivery *delivery)
{
	uint64_t now_ns = clock_boot_ns();
	int r = output_flush(delivery->output, now_ns);

	delivery->reader_gone |= r == -EPIPE;
	/* one that works again is told at once what it has not got */
	if (report_outputs(delivery->report) && report_losses(delivery->report))
		r = output_flush(delivery->output, now_ns);
	watch_update(delivery);
	return r == 0 || !output_alive(delivery->output);
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct delivery *delivery = context;
	struct sink *sink;

	(void)fd;
	for (unsigned int i = 0; (sink = output_sink(delivery->output, i)); i++)
		if (delivery->watched[i] == source && sink->ops->ends_run &&
		    events & (EPOLLERR | EPOLLHUP)) {
			sink_step(sink, -EPIPE, clock_boot_ns());
			delivery->reader_gone = true;
		}
	delivery_flush(delivery);
	delivery->on_progress(delivery->context);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t us, void *context)
{
	struct delivery *delivery = context;

	(void)source;
	(void)us;
	delivery_flush(delivery); /* sets the timer again, if it must */
	delivery->on_progress(delivery->context);
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

/*
 * Wait until one of the slow outputs takes more, or one that fails has been tried again. False:
 * only those are left that nobody reads, or that go on failing.
 */
static bool wait_for_readers(struct output *output, uint64_t since_ns)
{
	struct pollfd fds[OUTPUT_SINKS_MAX];
	uint64_t now_ns = clock_boot_ns();
	unsigned int count = 0;
	const struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(output, i)); i++) {
		uint64_t from_ns = sink_is_slow(sink) ? sink->took_ns : since_ns;
		bool left = sink_is_slow(sink) || sink->state == SINK_FAILING;
		int fd = left ? sink->ops->fd(sink) : -1;

		if (fd >= 0 && now_ns - from_ns < DELIVERY_PATIENCE_NS)
			fds[count++] = (struct pollfd){ fd, POLLOUT, 0 };
	}
	if (count)
		poll(fds, count, POLL_MS);
	return count;
}

void delivery_flush_patiently(struct delivery *delivery, uint64_t until_ns)
{
	uint64_t since_ns = clock_boot_ns();

	while (!delivery_flush(delivery) && clock_boot_ns() < until_ns &&
	       wait_for_readers(delivery->output, since_ns)) {
	}
}

void delivery_finish(struct output *removed)
{
	uint64_t since_ns = clock_boot_ns();

	while (output_flush(removed, clock_boot_ns()) == -EAGAIN &&
	       clock_boot_ns() - since_ns < SINK_PATIENCE_NS &&
	       wait_for_readers(removed, since_ns)) {
	}
	output_stop(removed);
}
