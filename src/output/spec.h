/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * spec.h - parsing the text that says what an output is to be.
 */
#ifndef NETLOG_SPEC_H
#define NETLOG_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/words.h"
#include "schema/format.h"

#define SINK_NAME_MAX 512 /* so that the escaped names of all outputs fit one control line */
#define SINK_TEXT_MAX 2048

struct filter_set;
struct stat;

/* The kind of pieces that the sink takes. */
enum sink_takes {
	SINK_LINES,
	SINK_ENTRIES, /* of the journal; see base/entry.h */
	SINK_RECORDS, /* a recording; see recording.h */
};

/*
 * A sink's specification: stdout, file:PATH, record:PATH (a recording; `-` is standard output) or
 * journald, with parameters after commas: events=A,B, filters and format=NAME, and for files
 * max-size=BYTES and max-files=N. So a path cannot contain a comma.
 */
struct sink_spec {
	char text[SINK_TEXT_MAX]; /* as it was given */
	char name[SINK_NAME_MAX]; /* without parameters */
	uint64_t events;
	enum sink_takes takes;
	enum format_id format;	    /* of lines, or of an entry's MESSAGE */
	uint64_t max_bytes;	    /* 0: never rotated */
	unsigned int max_files;	    /* number of rotated files to keep */
	struct filter_set *filters; /* of its own, if any was given; NULL: none */
};

/* Parameters that are defined on an upper floor: filters, which are settings as well. */
struct parameters {
	struct vocabulary words; /* their names */
	/*
	 * Add a value to the parameter of this number. Returns NULL on success, otherwise what is
	 * wrong and what would do, which the caller frees.
	 */
	char *(*take)(const struct parameters *parameters, unsigned int number,
		      struct sink_spec *spec, const char *value);
	const void *context;
};

/*
 * Parse a specification; opens nothing. `others`: parameters besides those of parameter.c; NULL:
 * none. The caller ends it with sink_spec_done(). -EINVAL: *ret_message says what is wrong (the
 * caller frees it; NULL if memory is short).
 */
int sink_spec_parse(const char *text, const struct parameters *others, struct sink_spec *ret_spec,
		    char **ret_message);
void sink_spec_done(struct sink_spec *spec);

/* The events that at least one of these sinks takes, as bits. */
uint64_t sink_specs_events(const struct sink_spec *specs, unsigned int count);

/* Advice about an output that cannot be opened: "; ...", or "". */
const char *output_open_advice(const char *name, int error);

/*
 * Could this one of the specifications be opened, as far as that can be known without opening it?
 * Else the error of sink_open(): -ENOENT where its directory is missing; or -ENOTUNIQ, if one
 * before it leads to the same file.
 */
int sink_spec_check(const struct sink_spec *specs, unsigned int number);

/* Does the path of the output of that name lead to this file? */
bool sink_name_leads_to(const char *name, const struct stat *file);

/* Would the output be written into this file, or rotated over it? */
bool sink_spec_writes_over(const struct sink_spec *spec, const struct stat *file);

#endif
