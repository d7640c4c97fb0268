/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_settings.h - which events are wanted of the kernel side. Settings put it together, and the
 * kernel side takes it as it is.
 */
#ifndef NETLOG_PROBE_SETTINGS_H
#define NETLOG_PROBE_SETTINGS_H

#include "base/words.h"
#include "filter/filter.h"
#include "schema/event.h"

/* What is wanted is not below the one, and below the other. 0: there is no such limit. */
struct threshold {
	uint64_t least;
	uint64_t below;
};

/* What may be changed while the probe works. */
struct probe_settings {
	struct word_choice events; /* by their types; of those that the probe was made for */
	struct word_choice choices[event_types]; /* of those that have one: its values */
	uint64_t rtt_interval_us; /* at the least between two rtt events of a socket */
	struct threshold limits_ns[event_types]; /* of those that measure something */
	struct filter_set filters;
	struct figures sample;	 /* of so many flows one; 0: all */
	struct figures max_rate; /* events a second; 0: no limit */
	bool adaptive;		 /* fewer while the ring is full */
};

/*
 * What the outputs take, each by the number of its bit; one that has no events takes nothing. What
 * is wanted by the settings and by none of them is not made.
 */
struct probe_outputs {
	struct {
		uint64_t events;		  /* by their types */
		const struct filter_set *filters; /* its own; NULL: none */
	} of[FILTER_OUTPUTS];
};

static inline uint64_t outputs_events(const struct probe_outputs *outputs)
{
	uint64_t events = 0;

	for (unsigned int i = 0; i < FILTER_OUTPUTS; i++)
		events |= outputs->of[i].events;
	return events;
}

static inline bool outputs_filter(const struct probe_outputs *outputs)
{
	for (unsigned int i = 0; i < FILTER_OUTPUTS; i++)
		if (outputs->of[i].filters)
			return true;
	return false;
}

#endif
