/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pump.h - the ring's rhythm: when it is looked at, and when it is left alone.
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
	/* After each look: what the outputs hold is to be written. Returns whether to go on. */
	bool (*on_drained)(void *context);
	void *context;
	sd_event_source *ring; /* readable when an event wakes us; off while we look by ourselves */
	sd_event_source *drain; /* the next look */
	bool waiting;		/* a reader is slow, its buffer is full: the ring is left alone */
	bool asleep;		/* the doorbell has been raised */
	bool stopped;		/* the drain ended before its budget and the ring's end */
};

/* Begin, with all but the sources filled in. An error of sd-event. End with pump_done(). */
int pump_init(struct pump *pump);
void pump_done(struct pump *pump);

/* A reader has read, or an output may work again: back to the ring, if that has been waited for. */
void pump_resume(struct pump *pump);

/* --count: as many lines as were asked for have been made. */
bool pump_count_reached(const struct pump *pump);

/*
 * The hooks are detached: take what the ring still holds, or as much of it as one look may take.
 * How many records that were; 0: it is empty.
 */
unsigned int pump_finish(struct pump *pump);

#endif
