/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * settings.h - what can be set, as rows: the command line and the configuration file both come from
 * this one table, and so do --help and --print-config.
 */
#ifndef NETLOG_SETTINGS_H
#define NETLOG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/util.h"
#include "filter/probe_settings.h"
#include "output/output.h"
#include "schema/event.h"
#include "settings/rates.h"

enum options_action {
	ACTION_LOG,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_SCHEMA,
	ACTION_CHECK_CONFIG,
	ACTION_PRINT_CONFIG,
	ACTION_DOCTOR,
	ACTION_DOCTOR_JSON,
};

struct options {
	char **argv; /* what they come from; the caller's */
	int argc;
	enum options_action action;
	const char *config_path; /* in argv; NULL: none */
	const char *read_path;	 /* a recording, instead of this host; in argv; NULL: none */
	const char *live_only;	 /* an option given that --read leaves aside; NULL: none */
	struct probe_settings kernel;
	bool events_named; /* by the user: then none may be missing */
	bool stages_named;
	bool quiet;
	bool outputs_named;
	bool written; /* one of the outputs is that of --write */
	struct sink_spec write;
	unsigned int output_count;
	struct sink_spec outputs[OUTPUT_SINKS_MAX];
	uint64_t duration_us;	    /* 0: until a signal */
	uint64_t count;		    /* event lines; 0: without end */
	uint64_t stats_interval_us; /* 0: never */
	size_t ring_bytes;
	struct ssh_connection ssh; /* that netlog was started over; it is left out */
	bool include_ssh;	   /* no, it is not */
};

enum setting_kind {
	SETTING_ACTION, /* of the command line only */
	SETTING_FLAG,
	SETTING_NUMBER,
	SETTING_WORDS, /* each of a list */
};

struct setting {
	const char *name;
	char letter; /* 0: none */
	enum setting_kind kind;
	const char *metavar; /* NULL: takes no value; in brackets: may be left out */
	const char *help;
	/*
	 * Put the value into the options; `more`: it goes on with a list. NULL if it is well, else
	 * what is wrong with it and what would do, which the caller frees.
	 */
	char *(*apply)(struct options *options, const char *value, bool more);
	/* The value in force, as JSON. NULL: never shown. False: there is none to show. */
	bool (*show)(const struct options *options, FILE *file);
};

extern const struct setting setting_rows[];
extern const unsigned int setting_count;

/* Is it the not- twin of the row before it? */
bool setting_is_twin(const struct setting *setting);

/* All as it is when nothing is said. */
void settings_default(struct options *options);

/* When all has been applied: what follows from several together. As apply(). */
char *settings_complete(struct options *options);

/*
 * What the session's own connection is, once that is known (all zeros: there is none), and into the
 * filters with it, unless it is to be logged. Returns whether it is left out.
 */
bool settings_set_ssh(struct options *options, const struct ssh_connection *connection);

#endif
