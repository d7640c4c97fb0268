/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * delivery.h - when sinks are flushed: after each drain, when a slow reader has read, and
 * repeatedly while writing fails.
 */
#ifndef NETLOG_DELIVERY_H
#define NETLOG_DELIVERY_H

#include <systemd/sd-event.h>

#include "output/output.h"

struct delivery {
	sd_event *loop;
	struct output *output;
	/* Time to flush: an output takes lines again or is to be tried, or its reader has gone. */
	void (*on_due)(void *context);
	void *context;
	uint64_t retry_us;	/* what the timer has been set to */
	sd_event_source *retry; /* with an output that fails, or is about to be given up */
	sd_event_source *watched[OUTPUT_SINKS_MAX]; /* for slow and for gone readers */
	int fds[OUTPUT_SINKS_MAX]; /* which they watch; a file's may become another one */
};

/*
 * Begin, with everything but the sources filled in. An error of sd-event. End with delivery_done().
 */
int delivery_init(struct delivery *delivery);
void delivery_done(struct delivery *delivery);

/* Call these before and after the output's sinks change. An error of sd-event. */
void delivery_unwatch(struct delivery *delivery);
int delivery_rewatch(struct delivery *delivery);

/* Write what can be written. Each sink's `step` says what has changed, for the caller to report. */
void delivery_flush(struct delivery *delivery);

/* Write what removed outputs still hold, as far as possible in a moment. */
void delivery_finish(struct output *removed);

#endif
