/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * settings.h - all settings as rows of one table, from which come the command line, the
 * configuration file, --help, --print-config, the filters in the start line, and the settings that
 * a reload keeps.
 */
#ifndef NETLOG_SETTINGS_H
#define NETLOG_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
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

/* The action asked for, and its form: a number in the action's vocabulary. */
struct action {
	enum options_action wanted;
	unsigned int form;
};

enum { form_text, form_json }; /* of the doctor's findings */

/* The longest text that place_text() gives, as put_json_string() writes it, and a NUL. */
#define SETTING_JSON_MAX JSON_TEXT_MAX(FILTER_TEXT_BYTES)
_Static_assert(FILTER_TEXT_BYTES > SINK_TEXT_MAX && FILTER_TEXT_BYTES > SETTING_TEXT_MAX,
	       "another text is the longest");

struct options {
	char **argv; /* that they were read from; the caller's */
	int argc;
	struct action action;
	const char *config_path; /* in argv; NULL: no file */
	const char *read_path;	 /* recording to read instead of this host; in argv; NULL: none */
	const char *write_path;	 /* recording to write, as one more output; in argv; NULL: none */
	const char *live_only;	 /* an option given that --read ignores; NULL: none */
	struct probe_settings kernel;
	bool quiet;
	bool outputs_named;
	unsigned int output_count;
	struct sink_spec outputs[OUTPUT_SINKS_MAX];
	uint64_t duration_us;	    /* 0: until a signal */
	uint64_t count;		    /* event lines; 0: unlimited */
	uint64_t stats_interval_us; /* 0: never */
	uint64_t ring_bytes;
	struct ssh_connection ssh;	  /* that netlog was started over; it is left out */
	bool include_ssh;		  /* no, it is not */
	char hostname[HOST_NAME_MAX + 1]; /* of the lines; "": as it is found */
};

enum setting_flags {
	SETTING_ARGUMENT = BIT(0), /* of the command line only */
	SETTING_STAYS = BIT(1),	   /* cannot change within a run, whatever a reload finds */
	SETTING_REPLAYS = BIT(2),  /* works with --read; other settings are about this host */
};

/*
 * Does the setting leave events out? Then the start line lists it among its filters, in this order,
 * which is the order in which an event meets them.
 */
enum setting_choice {
	CHOOSES_NOTHING,
	CHOOSES_HOOKS,
	CHOOSES_FLOWS,
	CHOOSES_VALUES,
	setting_choices,
};

struct setting {
	const char *names[2]; /* of the long option, and of its not- twin; NULL: it has none */
	const struct setting_type *type;
	size_t offset;	     /* of the member in struct options */
	const void *form;    /* data for the type, see there */
	unsigned int number; /* likewise */
	char letter;	     /* 0: no short option */
	unsigned char flags;
	unsigned char choice;
	const char *metavar; /* NULL: takes no value; in brackets: the value is optional */
	const char *initial; /* the default; NULL: nothing given */
	const char *help;
};

extern const struct setting setting_rows[];
extern const unsigned int setting_count;

/* A setting or its twin, and where some options store its value. */
struct place {
	const struct setting *setting; /* NULL: before the first one */
	bool twin;
	void *member;
};

/*
 * Advance to the next place; false after the last. Each row is followed by its twin, if any;
 * settings that cannot be given (type->take is NULL) come as well. Write to the member only if the
 * options may be changed.
 */
bool place_next(struct place *place, const struct options *options);
#define for_each_place(name, options) for (struct place name = {}; place_next(&(name), options);)

#define PLACES (2 * setting_count)

/* The place's number, below PLACES, and the place with this number. */
unsigned int place_number(const struct place *place);
struct place place_of_number(unsigned int number, const struct options *options);

static inline const char *place_name(const struct place *place)
{
	return place->setting->names[place->twin];
}

/* Does it have its default value? */
bool place_is_initial(const struct place *place);

/* The text of this number from the type's text(); NULL: there are no more. */
const char *place_text(const struct place *place, unsigned int number,
		       char buffer[SETTING_TEXT_MAX]);

/*
 * Read a text. `more`: add it to those already read, if the type can have several. Returns NULL on
 * success, otherwise what is wrong and what would do, which the caller frees.
 */
char *place_take(const struct place *place, const char *text, bool more);

/* Reset the place, as if nothing had been given. */
void place_clear(const struct place *place);

/* Copy the value from other options. Returns whether it was different. */
bool place_keep(const struct place *place, const struct options *before);

/*
 * Set all defaults. `elsewhere`: names in filters are not of this host, see struct filter_set. End
 * with options_done(), also after -ENOMEM.
 */
int settings_default(struct options *options, bool elsewhere);

/* Free the outputs; afterwards there are none. */
void options_done(struct options *options);

#define SETTINGS_TOLD_MAX 12288 /* bytes of JSON that filters may take in the start line */

/*
 * Once everything has been read: check and derive settings that depend on each other. As
 * place_take().
 */
char *settings_complete(struct options *options);

/*
 * Set the session's own connection once it is known (all zeros: none), and exclude it by the
 * filters, unless it is to be logged. Returns whether it is excluded.
 */
bool settings_set_ssh(struct options *options, const struct ssh_connection *connection);

#endif
