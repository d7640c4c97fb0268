/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_settings.h - the part of the settings that the kernel side is asked for.
 */
#ifndef NETLOG_PROBE_SETTINGS_H
#define NETLOG_PROBE_SETTINGS_H

#include "base/words.h"
#include "filter/filter.h"
#include "schema/event.h"

/* Values are wanted from `least` on and below `below`. 0: no limit. */
struct threshold {
	uint64_t least;
	uint64_t below;
};

/* Settings that can change while the probe works. */
struct probe_settings {
	struct word_choice events;		 /* those that the probe was made for, at most */
	struct word_choice choices[event_types]; /* for each event that has one: its values */
	uint64_t rtt_interval_us;		 /* at least, between two rtt events of a socket */
	struct threshold limits_ns[event_types]; /* for each event that measures something */
	struct filter_set filters;
	struct figures sample;	 /* one of so many flows is kept; 0: all */
	struct figures max_rate; /* events a second; 0: no limit */
	bool adaptive;		 /* keep fewer while the ring is full */
};

/*
 * What each output takes, at the number of its bit; an output without events takes nothing. An
 * event that the settings want but no output takes is not made.
 */
struct probe_outputs {
	struct {
		uint64_t events;		  /* by their types */
		const struct filter_set *filters; /* of its own; NULL: none */
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
