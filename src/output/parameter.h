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

/* What has been read so far; all zeros: nothing. */
struct parameter_place {
	const struct parameter
		*list;	    /* which a value without a name continues; NULL: none of this table */
	unsigned int other; /* the same among `others`, its number plus 1; 0: none */
	uint64_t taken;	    /* parameters of this table that were given, as bits by their rows */
};

/*
 * Read a word between two commas: NAME=VALUE, or, without the =, one more value of the preceding
 * list. Returns NULL on success, otherwise what is wrong and what would do, which the caller frees.
 * `others`: see sink_spec_parse().
 */
char *parameter_take(struct sink_spec *spec, const struct parameters *others,
		     struct parameter_place *place, const char *word);

/* Has the parameter of this name been given? */
bool parameter_taken(const struct parameter_place *place, const char *name);

#endif
