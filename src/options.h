/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * options.h - the command line, from one table.
 */
#ifndef NETLOG_OPTIONS_H
#define NETLOG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "output.h"

enum options_action {
	ACTION_LOG,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_SCHEMA,
};

struct options {
	enum options_action action;
	uint64_t events;   /* types, as bits */
	bool events_named; /* by the user: then none may be missing */
	uint64_t stages;   /* of latency, as bits by their number */
	bool stages_named;
	struct sink_spec outputs[OUTPUT_SINKS_MAX];
	unsigned int output_count;
	uint64_t duration_us;	    /* 0: until a signal */
	uint64_t count;		    /* event lines; 0: without end */
	uint64_t stats_interval_us; /* 0: never */
	size_t ring_bytes;
	uint64_t rtt_interval_us; /* at the least between two rtt lines of a socket */
	uint64_t min_latency_us;  /* of latency lines */
	bool quiet;
};

/*
 * Read the command line. -EINVAL when something in it cannot be used; then *ret_message (the
 * caller frees it; NULL if memory is short) says what, and what would do.
 */
int options_parse(int argc, char **argv, struct options *ret_options, char **ret_message);

/* The text of --help, to stdout. */
void options_help(void);

#endif
