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

/* What has been taken; all zeros: nothing. */
struct parameter_place {
	const struct parameter *list; /* the last one, if it is a list of this table */
	unsigned int other; /* the last one's number among the others, and 1; 0: it is none */
	uint64_t taken;	    /* those of this table that there have been, as bits by their rows */
};

/*
 * Take a word between two commas: NAME=VALUE, or, without the =, one more value of the list that
 * the last parameter is. NULL if it is well; else what is wrong and what would do, which the caller
 * frees. `others`: see sink_spec_parse().
 */
char *parameter_take(struct sink_spec *spec, const struct parameters *others,
		     struct parameter_place *place, const char *word);

/* Has there been one of this name? */
bool parameter_taken(const struct parameter_place *place, const char *name);

#endif
