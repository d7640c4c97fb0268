// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "run/pump.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/log.h"
#include "run/timer.h"

#define DRAIN_BUDGET 4096 /* records handled before signals and timers get a turn */
#define DRAIN_INTERVAL_US (5 * USEC_PER_MSEC) /* between looks at the ring while events come */
#define DRAIN_BYTES_PER_US 600		      /* at most; see drain_interval_us() */

bool pump_count_reached(const struct pump *pump)
{
	return pump->options->count && pump->lines->emitted_total >= pump->options->count;
}

static bool on_record(void *context, const void *record, size_t size)
{
	struct pump *pump = context;

	pump->stopped = !lines_event(pump->lines, record, size) || pump_count_reached(pump);
	return !pump->stopped;
}

/*
 * Until the next look, in which time at most a quarter of the ring should fill. A million events a
 * second are 150 bytes a us.
 */
static uint64_t drain_interval_us(const struct pump *pump)
{
	uint64_t us = pump->options->ring_bytes / DRAIN_BYTES_PER_US;

	return us < DRAIN_INTERVAL_US ? us : DRAIN_INTERVAL_US;
}

/*
 * While events come, look at the ring every few milliseconds and leave the doorbell alone. If a
 * look finds nothing, raise the doorbell and wait for the ring's own signal: being idle costs
 * nothing. While a reader is slow and its buffer full, wait for the reader; events that do not fit
 * the ring are counted.
 */
static int ring_wait(struct pump *pump, unsigned int drained)
{
	pump->waiting = !output_ready(pump->lines->output);
	if (!pump->waiting && !drained) {
		probe_sleep(pump->probe);
		if (!pump->asleep) /* look once more: see probe_sleep() */
			timer_set(pump->drain, drain_interval_us(pump));
		pump->asleep = true;
		return sd_event_source_set_enabled(pump->ring, SD_EVENT_ON);
	}
	pump->asleep = false;
	if (!pump->waiting) /* at once if there is more, but after signals and timers */
		timer_set(pump->drain,
			  pump->stopped || drained == DRAIN_BUDGET ? 0 : drain_interval_us(pump));
	return sd_event_source_set_enabled(pump->ring, SD_EVENT_OFF);
}

static void ring_drain(struct pump *pump)
{
	unsigned int drained = 0;
	int r;

	pump->stopped = false;
	lines_refresh(pump->lines);
	if (output_ready(pump->lines->output))
		drained = probe_drain(pump->probe, DRAIN_BUDGET, on_record, pump);
	if (!pump->on_drained(pump->context))
		return;
	r = ring_wait(pump, drained);
	if (r < 0) {
		log_error("cannot wait for the ring: %s", strerror(-r));
		sd_event_exit(pump->loop, r);
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

void pump_turn(void *pump)
{
	ring_drain(pump);
}

void pump_resume(struct pump *pump)
{
	if (pump->waiting && output_ready(pump->lines->output))
		ring_drain(pump);
}

int pump_init(struct pump *pump)
{
	int r = sd_event_add_io(pump->loop, &pump->ring, probe_fd(pump->probe), EPOLLIN, on_ring,
				pump);

	if (r < 0)
		return r;
	return sd_event_add_time_relative(pump->loop, &pump->drain, CLOCK_MONOTONIC, 0,
					  TIMER_ACCURACY_US, on_drain, pump);
}

void pump_done(struct pump *pump)
{
	pump->ring = sd_event_source_unref(pump->ring);
	pump->drain = sd_event_source_unref(pump->drain);
}

static bool on_last_record(void *context, const void *record, size_t size)
{
	struct pump *pump = context;

	if (!pump_count_reached(pump))
		return lines_event(pump->lines, record, size);
	lines_unasked(pump->lines, record, size);
	return true;
}

unsigned int pump_finish(struct pump *pump)
{
	return probe_drain(pump->probe, DRAIN_BUDGET, on_last_record, pump);
}
