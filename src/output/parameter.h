/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * parameter.h - what may follow an output's name, as rows: ,events=rtt,latency,max-size=1GiB
 */
#ifndef NETLOG_PARAMETER_H
#define NETLOG_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"
#include "output/spec.h"

/* The last parameter that was taken; all zeros: none. */
struct parameter_place {
	const struct parameter *parameter;
	uint64_t taken; /* those that there have been, as bits by their rows */
};

/*
 * Take a word between two commas: NAME=VALUE, or, without the =, one more value of the list that
 * the last parameter is. NULL if it is well; else what is wrong and what would do, which the caller
 * frees.
 */
char *parameter_take(struct sink_spec *spec, struct parameter_place *place, const char *word);

/* Has there been one of this name? */
bool parameter_taken(const struct parameter_place *place, const char *name);

#endif
