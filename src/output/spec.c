// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/spec.h"

#include <errno.h>

#include "output/sink.h"

#define MAX_BYTES_LEAST (64 * 1024)
#define MAX_FILES_DEFAULT 5
#define MAX_FILES_MOST 1000

static int parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_number)
{
	if (parse_u64(text, ret_number) < 0)
		return -EINVAL;
	return *ret_number < least || *ret_number > most ? -EINVAL : 0;
}

static int parse_event(const char *name, uint64_t *events)
{
	enum event_type type = event_by_name(name);

	if (!strcmp(name, "all")) {
		for_each_event_type(each)
			*events |= BIT(each);
		return 0;
	}
	*events |= BIT(type);
	return type == event_none ? -EINVAL : 0;
}

/*
 * What is wrong with `word`, NULL when nothing is; its value goes into the spec. A word without `=`
 * goes on with the events: events=rtt,latency.
 */
static const char *parse_parameter(struct sink_spec *spec, const char *word, bool *in_events)
{
	uint64_t number;

	if (!strncmp(word, "events=", 7)) {
		*in_events = true;
		spec->events = 0;
		word += 7;
	} else if (strchr(word, '=')) {
		*in_events = false;
	}
	if (*in_events)
		return parse_event(word, &spec->events) < 0 ?
			       "there is no such event; see netlog --help" :
			       NULL;
	if (!strncmp(word, "max-size=", 9)) {
		if (parse_number(word + 9, MAX_BYTES_LEAST, INT64_MAX, &spec->max_bytes) < 0)
			return "give bytes, 65536 or more";
		return NULL;
	}
	if (!strncmp(word, "max-files=", 10)) {
		if (parse_number(word + 10, 1, MAX_FILES_MOST, &number) < 0)
			return "give a number from 1 to 1000";
		spec->max_files = (unsigned int)number;
		return NULL;
	}
	return "known are events=, max-size=, max-files=; a path cannot contain a comma";
}

static const struct sink_kind {
	const char *prefix;
	bool has_path; /* after the prefix */
	bool records;
	int (*open)(const struct sink_spec *spec, struct sink **ret_sink);
} sink_kinds[] = {
	{ "stdout", false, false, sink_stdout_open },	  { "file:", true, false, sink_file_open },
	{ "record:-", false, true, sink_stdout_open },	  { "record:", true, true, sink_file_open },
	{ "journald", false, false, sink_journald_open },
};

static const struct sink_kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sink_kinds); i++) {
		const struct sink_kind *kind = &sink_kinds[i];
		size_t length = strlen(kind->prefix);

		if (!strncmp(name, kind->prefix, length) && !name[length] == !kind->has_path)
			return kind;
	}
	return NULL;
}

static int complain(char **ret_message, const char *text, const char *hint)
{
	if (asprintf(ret_message, "'%s': %s", text, hint) < 0)
		*ret_message = NULL;
	return -EINVAL;
}

int sink_spec_parse(const char *text, struct sink_spec *ret_spec, char **ret_message)
{
	struct sink_spec spec = { .max_files = MAX_FILES_DEFAULT };
	const struct sink_kind *kind;
	bool in_events = false, files_named = false;
	char *rest, *word;

	if (strlen(text) >= sizeof(spec.name))
		return complain(ret_message, text, "is too long: 511 bytes are the most");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return complain(ret_message, text, "has a control character");
	for_each_event_type(type)
		spec.events |= BIT(type);
	strcpy(spec.text, text);
	rest = strcpy(spec.name, text);
	strsep(&rest, ",");
	while ((word = strsep(&rest, ","))) {
		const char *wrong = parse_parameter(&spec, word, &in_events);

		if (wrong)
			return complain(ret_message, word, wrong);
		files_named |= !strncmp(word, "max-files=", 10);
	}
	kind = kind_of(spec.name);
	if (!kind)
		return complain(ret_message, spec.name,
				spec.name[0] == '/' ?
					"is none of stdout, file:PATH and journald; give file: and "
					"the path" :
					"is none of stdout, file:PATH and journald");
	if (files_named && !spec.max_bytes)
		return complain(ret_message, text, "max-files does nothing without max-size");
	if (spec.max_bytes && !kind->has_path)
		return complain(ret_message, text, "only a file has a max-size");
	spec.records = kind->records;
	*ret_spec = spec;
	return 0;
}

uint64_t sink_specs_events(const struct sink_spec *specs, unsigned int count)
{
	uint64_t events = 0;

	for (unsigned int i = 0; i < count; i++)
		events |= specs[i].events;
	return events;
}

const char *output_open_advice(const char *name, int error)
{
	if (error == -EEXIST && !strncmp(name, "record:", strlen("record:")))
		return "; it is no recording that could be written over: give another path";
	if ((error == -ENOENT || error == -ECONNREFUSED) && !strcmp(name, "journald"))
		return "; journald does not run here: give stdout or file:PATH";
	if (error == -ENOENT)
		return "; its directory must be there";
	if (error == -EISDIR)
		return "; give a file in it";
	return "";
}

/* ---- opening ---- */

int sink_open(const struct sink_spec *spec, struct sink **ret_sink)
{
	struct sink *sink;
	int r = kind_of(spec->name)->open(spec, &sink);

	if (r < 0)
		return r;
	sink->name = strdup(spec->name);
	if (!sink->name) {
		sink_free(sink);
		return -ENOMEM;
	}
	*ret_sink = sink;
	return 0;
}
