/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * settings.h - what can be set, as rows: the command line and the configuration file both come from
 * this one table, and so do --help, --print-config, the filters of the start line, and what a
 * reload leaves as it is.
 */
#ifndef NETLOG_SETTINGS_H
#define NETLOG_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"
#include "filter/probe_settings.h"
#include "output/output.h"
#include "schema/event.h"
#include "settings/type.h"

enum options_action {
	ACTION_LOG,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_SCHEMA,
	ACTION_CHECK_CONFIG,
	ACTION_PRINT_CONFIG,
	ACTION_DOCTOR,
};

/* What is to be done, and in which of its forms: a number of its vocabulary. */
struct action {
	enum options_action wanted;
	unsigned int form;
};

enum { form_text, form_json }; /* of the doctor's findings */

struct options {
	char **argv; /* what they come from; the caller's */
	int argc;
	struct action action;
	const char *config_path; /* in argv; NULL: none */
	const char *read_path;	 /* a recording, instead of this host; in argv; NULL: none */
	const char *write_path;	 /* a recording, as one more output; in argv; NULL: none */
	const char *live_only;	 /* an option given that --read leaves aside; NULL: none */
	struct probe_settings kernel;
	bool quiet;
	bool outputs_named;
	unsigned int output_count;
	struct sink_spec outputs[OUTPUT_SINKS_MAX];
	uint64_t duration_us;	    /* 0: until a signal */
	uint64_t count;		    /* event lines; 0: without end */
	uint64_t stats_interval_us; /* 0: never */
	uint64_t ring_bytes;
	struct ssh_connection ssh;	  /* that netlog was started over; it is left out */
	bool include_ssh;		  /* no, it is not */
	char hostname[HOST_NAME_MAX + 1]; /* of the lines; "": as it is found */
};

enum setting_flags {
	SETTING_ARGUMENT = BIT(0), /* of the command line only */
	SETTING_STAYS = BIT(1),	   /* for the whole run, whatever a reload finds */
	SETTING_REPLAYS = BIT(2),  /* works with --read; the others ask this host */
};

/*
 * Does it leave events out, so that the start line has to say so among its filters? They come in
 * the order in which an event meets them.
 */
enum setting_choice {
	CHOOSES_NOTHING,
	CHOOSES_HOOKS,
	CHOOSES_FLOWS,
	CHOOSES_VALUES,
	setting_choices,
};

struct setting {
	const char *names[2]; /* of the long option; of its not- twin, NULL: there is none */
	const struct setting_type *type;
	size_t offset;	     /* of its member in struct options */
	const void *form;    /* what its type has to know of it, see there */
	unsigned int number; /* likewise */
	char letter;	     /* 0: none */
	unsigned char flags;
	unsigned char choice;
	const char *metavar; /* NULL: takes no value; in brackets: may be left out */
	const char *initial; /* as it is when nothing is said; NULL: nothing */
	const char *help;
};

extern const struct setting setting_rows[];
extern const unsigned int setting_count;

/* A setting, or its twin, and where certain options have its value. */
struct place {
	const struct setting *setting; /* NULL: before the first one */
	bool twin;
	void *member;
};

/*
 * The place after this one; false after the last. Each row comes, and each twin after its row, also
 * what cannot be given (type->take is NULL). The member is for writing if the options are.
 */
bool place_next(struct place *place, const struct options *options);
#define for_each_place(name, options) for (struct place name = {}; place_next(&(name), options);)

#define PLACES (2 * setting_count)

/* The place's number, below PLACES, and the place of this number. */
unsigned int place_number(const struct place *place);
struct place place_of_number(unsigned int number, const struct options *options);

static inline const char *place_name(const struct place *place)
{
	return place->setting->names[place->twin];
}

/* Is its value the one that it has when nothing is said? */
bool place_is_initial(const struct place *place);

/* Its text of this number, as its type has it; NULL: there are no more. */
const char *place_text(const struct place *place, unsigned int number,
		       char buffer[SETTING_TEXT_MAX]);

/*
 * Take a text: `more`, besides those that have been taken, if it is of a type that has several.
 * NULL if it is well; else what is wrong and what would do, which the caller frees.
 */
char *place_take(const struct place *place, const char *text, bool more);

/* Have nothing given there. */
void place_clear(const struct place *place);

/* Have the value that other options have there. Returns whether there was another one. */
bool place_keep(const struct place *place, const struct options *before);

/*
 * All as it is when nothing is said. `elsewhere`: what filters name is not of this host, see
 * struct filter_set. To be ended with options_done().
 */
void settings_default(struct options *options, bool elsewhere);

/* Free what the outputs have; they are none then. */
void options_done(struct options *options);

#define SETTINGS_TOLD_MAX 12288 /* bytes of JSON that filters may take in the start line */

/* When all has been taken: what follows from several together. As place_take(). */
char *settings_complete(struct options *options);

/*
 * What the session's own connection is, once that is known (all zeros: there is none), and into the
 * filters with it, unless it is to be logged. Returns whether it is left out.
 */
bool settings_set_ssh(struct options *options, const struct ssh_connection *connection);

#endif
