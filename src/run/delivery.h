/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * delivery.h - when what the sinks hold is written: after each drain, when a slow reader has read,
 * and again and again where writing fails.
 */
#ifndef NETLOG_DELIVERY_H
#define NETLOG_DELIVERY_H

#include <systemd/sd-event.h>

#include "output/output.h"

struct delivery {
	sd_event *loop;
	struct output *output;
	/* To be flushed: an output takes lines again or is to be tried, or its reader has gone. */
	void (*on_due)(void *context);
	void *context;
	uint64_t retry_us;	/* what the timer has been set to */
	sd_event_source *retry; /* with an output that fails, or is about to be given up */
	sd_event_source *watched[OUTPUT_SINKS_MAX]; /* for slow and for gone readers */
	int fds[OUTPUT_SINKS_MAX]; /* which they watch; a file's may become another one */
};

/* Begin, with all but the sources filled in. An error of sd-event. End with delivery_done(). */
int delivery_init(struct delivery *delivery);
void delivery_done(struct delivery *delivery);

/* Before the output's sinks change, and after. An error of sd-event. */
void delivery_unwatch(struct delivery *delivery);
int delivery_rewatch(struct delivery *delivery);

/* Write what can be written. What that has changed is in each sink's `step`, for who tells of it. */
void delivery_flush(struct delivery *delivery);

/* Write what outputs that are no longer wanted still hold, as far as that goes in a moment. */
void delivery_finish(struct output *removed);

#endif
