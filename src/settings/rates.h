/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rates.h - a number for each event type, as --sample and --max-rate take them: EVENT=N. 0:
 * nothing is said of the type.
 */
#ifndef NETLOG_RATES_H
#define NETLOG_RATES_H

#include "schema/event.h"

#define ONE_IN_MAX (1ULL << 20)
#define PER_SECOND_MAX 1000000000ULL

/* How a number is written. */
struct rate_form {
	uint64_t max;	    /* it is from 1 to this */
	const char *suffix; /* and may be followed by this; "": by nothing */
};

/*
 * Take `EVENT=N` or several, separated by commas. NULL if it is well; else what is wrong and what
 * would do, which the caller frees; the rates are then not to be used any more.
 */
char *rates_take(struct figures *rates, const char *text, const struct rate_form *form);

#endif
