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

#endif
