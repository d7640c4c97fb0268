/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pump.h - the rhythm of the ring: when it is looked at, and when it is left alone.
 */
#ifndef NETLOG_PUMP_H
#define NETLOG_PUMP_H

#include <systemd/sd-event.h>

#include "kernel/probe.h"
#include "run/lines.h"
#include "settings/command_line.h"

struct pump {
	sd_event *loop;
	const struct options *options;
	struct probe *probe;
	struct lines *lines;
	/* Called after each look, to write what the outputs hold. Returns whether to go on. */
	bool (*on_drained)(void *context);
	void *context;
	sd_event_source *ring; /* readable when an event wakes us; off while we look by ourselves */
	sd_event_source *drain; /* the time of the next look */
	bool waiting;		/* for a slow reader whose buffer is full: the ring is left alone */
	bool asleep;		/* the doorbell has been raised */
	bool stopped;		/* the drain ended before its budget and the ring's end */
};

/* Begin, with everything but the sources filled in. An error of sd-event. End with pump_done(). */
int pump_init(struct pump *pump);
void pump_done(struct pump *pump);

/*
 * A reader has read, or an output may work again: return to the ring if we were waiting for that.
 */
void pump_resume(struct pump *pump);

/* Look at the ring now, where something else keeps the event loop from it: a callback. */
void pump_turn(void *pump);

/* Have as many lines been made as --count asks for? */
bool pump_count_reached(const struct pump *pump);

/*
 * After the hooks are detached: take records left in the ring, as many as one look may take.
 * Returns their number; 0: the ring is empty.
 */
unsigned int pump_finish(struct pump *pump);

#endif
