/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * rates.h - a number for each event type, as --sample and --max-rate take them: EVENT=N.
 */
#ifndef NETLOG_RATES_H
#define NETLOG_RATES_H

#include <stdio.h>

#include "schema/event.h"

#define ONE_IN_MAX (1ULL << 20)
#define PER_SECOND_MAX 1000000000ULL
#define RATE_TEXT_MAX 64

/*
 * Take `EVENT=N` or several, separated by commas: further ones if `more`, else in place of those
 * before; 0 for a type: nothing is said of it. N is from 1 to `max`, and may be followed by
 * `suffix` ("": by nothing). NULL if it is well; else what is wrong and what would do, which the
 * caller frees; the rates are then not to be used any more.
 */
char *rates_take(struct figures *rates, const char *value, uint64_t max, const char *suffix,
		 bool more);

/* EVENT=N, as it can be given. False: nothing is said of this type. */
bool rate_text(const struct figures *rates, enum event_type type, char text[RATE_TEXT_MAX]);

/* All, as a JSON array. False: there is nothing to show. */
bool rates_show(const struct figures *rates, FILE *file);

#endif
