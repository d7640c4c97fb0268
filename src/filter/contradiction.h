/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * contradiction.h - filters that no event can pass, however long one waits.
 */
#ifndef NETLOG_CONTRADICTION_H
#define NETLOG_CONTRADICTION_H

#include "filter/filter.h"

/* What events of a kind are like. */
struct event_traits {
	uint64_t protocols; /* that they may be of, as bits by their numbers */
	uint32_t absent;    /* halves about what they never have: those that let through refuse */
	uint32_t undecided; /* halves about what is not known of them yet: both of them refuse */
};

/*
 * Why no event of that kind can pass all of these filter sets (an output's own come besides those
 * for all): which options, and what of them. NULL: some event can. The caller frees.
 */
char *filters_contradiction(const struct filter_set *const *sets, unsigned int count,
			    const struct event_traits *traits);

#endif
