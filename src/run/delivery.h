/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * delivery.h - when what the sinks hold is written: after each drain, when a slow reader has read,
 * and again and again where writing fails.
 */
#ifndef NETLOG_DELIVERY_H
#define NETLOG_DELIVERY_H

#include <systemd/sd-event.h>

#include "output/output.h"
#include "run/report.h"

#define DELIVERY_PATIENCE_NS (2 * NSEC_PER_SEC) /* for a reader that does not read, at the end */

struct delivery {
	sd_event *loop;
	struct output *output;
	struct report *report;
	/* An output takes lines again, or its reader has gone; the sinks have been flushed. */
	void (*on_progress)(void *context);
	void *context;
	bool reader_gone;	/* of standard output: there is nobody left to write to */
	uint64_t retry_us;	/* what the timer has been set to */
	sd_event_source *retry; /* with an output that fails */
	sd_event_source *watched[OUTPUT_SINKS_MAX]; /* for slow and for gone readers */
};

/* Begin, with all but the sources filled in. An error of sd-event. End with delivery_done(). */
int delivery_init(struct delivery *delivery);
void delivery_done(struct delivery *delivery);

/* Before the output's sinks change, and after. An error of sd-event. */
void delivery_unwatch(struct delivery *delivery);
int delivery_rewatch(struct delivery *delivery);

/* Write what can be written. Returns whether all is out. */
bool delivery_flush(struct delivery *delivery);

/* The same, waiting for slow readers as long as they read, but not past `until_ns`. */
void delivery_flush_patiently(struct delivery *delivery, uint64_t until_ns);

/* Write what outputs that are no longer wanted still hold, as far as that goes in a moment. */
void delivery_finish(struct output *removed);

#endif
