// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "daemon.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <systemd/sd-id128.h>
#include <time.h>

#include "log.h"
#include "report.h"
#include "signals.h"

#define DRAIN_BUDGET 4096		       /* records before signals and timers have a turn */
#define DRAIN_INTERVAL_US (5 * USEC_PER_MSEC)  /* between looks at the ring while events come */
#define LOSS_INTERVAL_US (500 * USEC_PER_MSEC) /* at the least between two lost lines of a type */
#define FLUSH_PATIENCE_NS (2 * NSEC_PER_SEC)   /* for a reader that does not read, at the end */
#define TIMER_ACCURACY_US 1
#define RETRY_INTERVAL_US USEC_PER_SEC /* between tries with a failing output */

struct daemon {
	const struct options *options;
	struct probe *probe;
	struct lines *lines;
	struct output *output;
	sd_event *loop;
	sd_event_source *ring; /* readable when an event wakes us; off while we look by ourselves */
	sd_event_source *drain; /* the next look */
	sd_event_source *loss;	/* when to tell of losses again */
	sd_event_source *stats;
	sd_event_source *retry;			    /* with an output that fails */
	sd_event_source *outputs[OUTPUT_SINKS_MAX]; /* for slow and for gone readers */
	struct report report;
	const char *reason;
	bool waiting;	  /* a reader is slow, its buffer is full: the ring is left alone */
	bool asleep;	  /* the doorbell has been raised */
	bool stopped;	  /* the drain ended before its budget and the ring's end */
	bool reader_gone; /* EPIPE */
};

static void end(struct daemon *daemon, const char *reason)
{
	if (!daemon->reason)
		daemon->reason = reason;
	sd_event_exit(daemon->loop, 0);
}

static bool count_reached(const struct daemon *daemon)
{
	return daemon->options->count && daemon->lines->emitted_total >= daemon->options->count;
}

/* ---- output ---- */

static void timer_set(sd_event_source *timer, uint64_t us)
{
	sd_event_source_set_time_relative(timer, us);
	sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* Watch a slow output for being writable, any other only for the reader's going. */
static void outputs_watch(struct daemon *daemon)
{
	const struct sink *sink;
	bool failing = false;

	for (unsigned int i = 0; (sink = output_sink(daemon->output, i)); i++) {
		failing |= sink->error && sink->error != -EAGAIN;
		if (daemon->outputs[i])
			sd_event_source_set_io_events(daemon->outputs[i],
						      sink->error == -EAGAIN ? EPOLLOUT : 0);
	}
	if (failing && sd_event_source_get_enabled(daemon->retry, NULL) == SD_EVENT_OFF)
		timer_set(daemon->retry, RETRY_INTERVAL_US);
}

/* Write what can be written. Returns whether all is out. */
static bool flush(struct daemon *daemon)
{
	uint64_t now_ns = clock_boot_ns();
	int r;

	if (daemon->reader_gone)
		return true;
	r = output_flush(daemon->output, now_ns);
	if (r == -EPIPE) {
		daemon->reader_gone = true;
		end(daemon, "reader gone");
		return true;
	}
	report_outputs(&daemon->report, now_ns);
	outputs_watch(daemon);
	return r == 0;
}

/* ---- the ring ---- */

static bool on_record(void *context, const void *record, size_t size)
{
	struct daemon *daemon = context;

	lines_event(daemon->lines, record, size);
	daemon->stopped = !output_ready(daemon->output) || count_reached(daemon);
	return !daemon->stopped;
}

/*
 * While events come, look at the ring every few milliseconds and leave the doorbell alone. When a
 * look finds nothing, raise it and wait for the ring's own signal: idle costs nothing. While a
 * reader is slow and the buffer full, wait for the reader; what does not fit the ring is counted.
 */
static int ring_wait(struct daemon *daemon, unsigned int drained)
{
	daemon->waiting = !output_ready(daemon->output);
	if (!daemon->waiting && !drained) {
		probe_sleep(daemon->probe);
		if (!daemon->asleep)
			timer_set(daemon->drain,
				  DRAIN_INTERVAL_US); /* one more look: see probe_sleep() */
		daemon->asleep = true;
		return sd_event_source_set_enabled(daemon->ring, SD_EVENT_ON);
	}
	daemon->asleep = false;
	if (!daemon->waiting) /* at once if there is more, but signals and timers first */
		timer_set(daemon->drain,
			  daemon->stopped || drained == DRAIN_BUDGET ? 0 : DRAIN_INTERVAL_US);
	return sd_event_source_set_enabled(daemon->ring, SD_EVENT_OFF);
}

static void ring_drain(struct daemon *daemon)
{
	unsigned int drained = 0;
	int r;

	daemon->stopped = false;
	wall_clock_measure(&daemon->lines->clock);
	if (output_ready(daemon->output))
		drained = probe_drain(daemon->probe, DRAIN_BUDGET, on_record, daemon);
	if (output_ready(daemon->output) &&
	    sd_event_source_get_enabled(daemon->loss, NULL) == SD_EVENT_OFF &&
	    report_losses(&daemon->report))
		timer_set(daemon->loss, LOSS_INTERVAL_US);
	flush(daemon);
	if (count_reached(daemon)) {
		end(daemon, "count");
		return;
	}
	r = ring_wait(daemon, drained);
	if (r < 0) {
		log_error("cannot wait for the ring: %s", strerror(-r));
		sd_event_exit(daemon->loop, r);
	}
}

static int on_ring(sd_event_source *source, int fd, uint32_t events, void *context)
{
	(void)source;
	(void)fd;
	(void)events;
	ring_drain(context);
	return 0;
}

static int on_drain(sd_event_source *source, uint64_t us, void *context)
{
	(void)source;
	(void)us;
	ring_drain(context);
	return 0;
}

/* A reader has read, or an output works again: back to the ring, if that has been waited for. */
static void ring_resume(struct daemon *daemon)
{
	if (daemon->waiting && output_ready(daemon->output))
		ring_drain(daemon);
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *context)
{
	struct daemon *daemon = context;

	(void)source;
	(void)fd;
	if (events & (EPOLLERR | EPOLLHUP)) {
		daemon->reader_gone = true;
		end(daemon, "reader gone");
	}
	flush(daemon);
	ring_resume(daemon);
	return 0;
}

/* ---- timers and signals ---- */

static int on_retry(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *daemon = context;

	(void)source;
	(void)us;
	flush(daemon); /* sets the timer again, if it must */
	if (output_ready(daemon->output) && report_losses(&daemon->report))
		flush(daemon);
	ring_resume(daemon);
	return 0;
}

static int on_loss(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *daemon = context;

	(void)us;
	if (output_ready(daemon->output) && !report_losses(&daemon->report))
		return 0; /* all told: the next loss is told at once */
	flush(daemon);
	timer_set(source, LOSS_INTERVAL_US);
	return 0;
}

static int on_stats(sd_event_source *source, uint64_t us, void *context)
{
	struct daemon *daemon = context;

	(void)us;
	if (output_ready(daemon->output)) {
		report_stats(&daemon->report);
		flush(daemon);
	}
	timer_set(source, daemon->options->stats_interval_us);
	return 0;
}

static int on_duration(sd_event_source *source, uint64_t us, void *context)
{
	(void)source;
	(void)us;
	end(context, "duration");
	return 0;
}

/*
 * SIGHUP opens files anew, for logrotate(8); without a file it is the terminal's end. The first
 * signal that ends the run does so in order, and gives the next one its default meaning back.
 */
static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *context)
{
	struct daemon *daemon = context;
	int r;

	(void)source;
	if (info->ssi_signo == SIGHUP && output_reopens(daemon->output)) {
		r = output_reopen(daemon->output);
		if (r < 0)
			log_error("cannot open an output anew: %s; going on with the old file",
				  strerror(-r));
		flush(daemon);
		return 0;
	}
	signals_release();
	end(daemon, signal_name((int)info->ssi_signo));
	return 0;
}

static int sources_add(struct daemon *daemon)
{
	const struct options *options = daemon->options;
	const clockid_t clock = CLOCK_MONOTONIC;
	int r;

	r = sd_event_add_io(daemon->loop, &daemon->ring, probe_fd(daemon->probe), EPOLLIN, on_ring,
			    daemon);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(daemon->loop, &daemon->drain, clock, 0, TIMER_ACCURACY_US,
				       on_drain, daemon);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(daemon->loop, &daemon->loss, clock, 0, TIMER_ACCURACY_US,
				       on_loss, daemon);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(daemon->loss, SD_EVENT_OFF);
	r = sd_event_add_time_relative(daemon->loop, &daemon->retry, clock, 0, TIMER_ACCURACY_US,
				       on_retry, daemon);
	if (r < 0)
		return r;
	sd_event_source_set_enabled(daemon->retry, SD_EVENT_OFF);
	if (options->stats_interval_us) {
		r = sd_event_add_time_relative(daemon->loop, &daemon->stats, clock,
					       options->stats_interval_us, TIMER_ACCURACY_US,
					       on_stats, daemon);
		if (r < 0)
			return r;
	}
	if (options->duration_us) {
		r = sd_event_add_time_relative(daemon->loop, NULL, clock, options->duration_us,
					       TIMER_ACCURACY_US, on_duration, daemon);
		if (r < 0)
			return r;
	}
	return 0;
}

static int outputs_add(struct daemon *daemon)
{
	const struct sink *sink;

	for (unsigned int i = 0; (sink = output_sink(daemon->output, i)); i++) {
		int fd = sink->ops->fd(sink), r;

		if (fd < 0)
			continue;
		r = sd_event_add_io(daemon->loop, &daemon->outputs[i], fd, 0, on_output, daemon);
		if (r < 0 && r != -EPERM)
			return r;
	}
	return 0;
}

static int signals_add(struct daemon *daemon)
{
	sigset_t set;
	int r = 0;

	signals_set(&set);
	for (int number = 1; number < NSIG && r >= 0; number++)
		if (sigismember(&set, number) == 1)
			r = sd_event_add_signal(daemon->loop, NULL, number, on_signal, daemon);
	return r;
}

/* ---- the end ---- */

/* Write what the sinks hold, waiting for slow readers as long as they read. */
static void flush_patiently(struct daemon *daemon)
{
	while (!flush(daemon)) {
		struct pollfd fds[OUTPUT_SINKS_MAX];
		uint64_t now_ns = clock_boot_ns();
		unsigned int count = 0;
		const struct sink *sink;

		for (unsigned int i = 0; (sink = output_sink(daemon->output, i)); i++)
			if (sink->error == -EAGAIN &&
			    now_ns - sink->slow_since_ns < FLUSH_PATIENCE_NS)
				fds[count++] = (struct pollfd){ sink->ops->fd(sink), POLLOUT, 0 };
		if (!count)
			return; /* only those are left that fail, or that nobody reads */
		poll(fds, count, 100);
	}
}

static bool on_last_record(void *context, const void *record, size_t size)
{
	struct daemon *daemon = context;

	if (!count_reached(daemon)) {
		lines_event(daemon->lines, record, size);
		return output_ready(daemon->output);
	}
	report_unasked(&daemon->report, record, size);
	return true;
}

static int finish(struct daemon *daemon)
{
	unsigned int drained;
	int r;

	probe_detach(daemon->probe);
	if (daemon->reader_gone)
		return 0;
	do {
		drained = probe_drain(daemon->probe, DRAIN_BUDGET, on_last_record, daemon);
		flush_patiently(daemon);
		if (!output_ready(daemon->output))
			output_give_up(daemon->output); /* who still does not read loses lines */
	} while (drained && !daemon->reader_gone);
	if (daemon->reader_gone)
		return 0;
	r = report_stop(&daemon->report, daemon->reason ?: "failure");
	flush_patiently(daemon);
	return report_unwritten(&daemon->report) ? -EIO : r;
}

static void identity_fill(struct run_identity *identity)
{
	sd_id128_t boot = SD_ID128_NULL, run = SD_ID128_NULL;

	sd_id128_get_boot(&boot);
	sd_id128_randomize(&run);
	sd_id128_to_string(boot, identity->boot_id);
	sd_id128_to_string(run, identity->run_id);
}

static int run(struct daemon *daemon)
{
	struct run_identity identity = {};
	int r, failure;

	r = signals_add(daemon);
	if (r < 0)
		return r;
	r = sources_add(daemon);
	if (r < 0)
		return r;
	r = outputs_add(daemon);
	if (r < 0)
		return r;
	identity_fill(&identity);
	report_start(&daemon->report, &identity);
	flush(daemon);
	failure = sd_event_loop(daemon->loop);
	r = finish(daemon);
	return failure < 0 ? failure : r;
}

int daemon_run(const struct options *options, struct probe *probe, struct lines *lines)
{
	struct daemon daemon = {
		.options = options,
		.probe = probe,
		.lines = lines,
		.output = lines->output,
		.report = { .options = options, .probe = probe, .lines = lines },
	};
	int r;

	lines->events = probe_events(probe);
	r = sd_event_new(&daemon.loop);
	if (r < 0)
		return r;
	r = run(&daemon);
	for (unsigned int i = 0; i < OUTPUT_SINKS_MAX; i++)
		sd_event_source_unref(daemon.outputs[i]);
	sd_event_source_unref(daemon.ring);
	sd_event_source_unref(daemon.drain);
	sd_event_source_unref(daemon.loss);
	sd_event_source_unref(daemon.stats);
	sd_event_source_unref(daemon.retry);
	sd_event_unref(daemon.loop);
	return r;
}
