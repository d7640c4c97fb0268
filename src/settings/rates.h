/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rates.h - a number for each event type, as given to --sample and --max-rate: EVENT=N. 0: none
 * given.
 */
#ifndef NETLOG_RATES_H
#define NETLOG_RATES_H

#include "schema/event.h"

#define ONE_IN_MAX (1ULL << 20)
#define PER_SECOND_MAX 1000000000ULL

/* The form of a number. */
struct rate_form {
	uint64_t max;	    /* it must be between 1 and this */
	const char *suffix; /* it may be followed by this; "": by nothing */
};

/*
 * Read `EVENT=N`, or several separated by commas. Returns NULL on success, otherwise what is wrong
 * and what would do, which the caller frees; then the rates are not to be used any more.
 */
char *rates_take(struct figures *rates, const char *text, const struct rate_form *form);

#endif
