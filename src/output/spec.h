/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * spec.h - the words that say where lines go: what a sink is to be.
 */
#ifndef NETLOG_SPEC_H
#define NETLOG_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/format.h"

#define SINK_NAME_MAX 512 /* so that the names of all, escaped, fit one control line */

struct stat;

/* What is made for a sink. */
enum sink_takes {
	SINK_LINES,
	SINK_ENTRIES, /* of the journal; see base/entry.h */
	SINK_RECORDS, /* a recording; see recording.h */
};

/*
 * What a sink is to be: stdout, file:PATH, record:PATH (a recording; `-` is standard output) or
 * journald, with parameters after commas: events=A,B and format=NAME, and for a file
 * max-size=BYTES and max-files=N. A comma is thus no part of a path.
 */
struct sink_spec {
	char text[SINK_NAME_MAX]; /* as it was given */
	char name[SINK_NAME_MAX]; /* without the parameters */
	uint64_t events;
	enum sink_takes takes;
	enum format_id format;	/* of lines; of an entry's MESSAGE */
	uint64_t max_bytes;	/* 0: never rotated */
	unsigned int max_files; /* rotated ones that are kept */
};

/*
 * Read a specification; opens nothing. -EINVAL, and *ret_message (the caller frees it; NULL if
 * memory is short) says what is wrong.
 */
int sink_spec_parse(const char *text, struct sink_spec *ret_spec, char **ret_message);

/* The events that one of these at least takes, as bits. */
uint64_t sink_specs_events(const struct sink_spec *specs, unsigned int count);

/* What to do about an output that cannot be opened: "; ...", or "". */
const char *output_open_advice(const char *name, int error);

/* Would the output be written into this file, or rotated over it? */
bool sink_spec_writes_over(const struct sink_spec *spec, const struct stat *file);

#endif
