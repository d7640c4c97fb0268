// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sys/stat.h>

#include "output/parameter.h"
#include "output/path.h"
#include "output/rotation.h"
#include "output/sink.h"

#define MAX_FILES_DEFAULT 5

static const struct sink_kind {
	const char *prefix;
	bool has_path; /* after the prefix */
	enum sink_takes takes;
	int (*open)(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink);
	int (*check)(const struct sink_spec *spec); /* without opening it; NULL: nothing to check */
} sink_kinds[] = {
	{ "stdout", false, SINK_LINES, sink_stdout_open, NULL },
	{ "file:", true, SINK_LINES, sink_file_open, sink_file_check },
	{ "record:-", false, SINK_RECORDS, sink_stdout_open, NULL },
	{ "record:", true, SINK_RECORDS, sink_file_open, sink_file_check },
	{ "journald", false, SINK_ENTRIES, sink_journald_open, NULL },
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

void sink_spec_done(struct sink_spec *spec)
{
	free(spec->filters);
	spec->filters = NULL;
}

int sink_spec_parse(const char *text, const struct parameters *others, struct sink_spec *ret_spec,
		    char **ret_message)
{
	_cleanup_(sink_spec_done) struct sink_spec spec = { .max_files = MAX_FILES_DEFAULT };
	const struct sink_kind *kind;
	struct parameter_place place = {};
	char *rest, *word;

	if (strcspn(text, ",") >= sizeof(spec.name))
		return complain(ret_message, text, "is too long: 511 bytes are the most");
	if (strlen(text) >= sizeof(spec.text))
		return complain(ret_message, text,
				"is too long: with its parameters, 2047 bytes are the most");
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return complain(ret_message, text, "has a control character");
	for_each_event_type(type)
		spec.events |= BIT(type);
	rest = strcpy(spec.text, text);
	strcpy(spec.name, strsep(&rest, ","));
	while ((word = strsep(&rest, ","))) {
		_cleanup_free_ char *wrong = parameter_take(&spec, others, &place, word);

		if (wrong)
			return complain(ret_message, word, wrong);
	}
	kind = kind_of(spec.name);
	if (!kind)
		return complain(ret_message, spec.name,
				spec.name[0] == '/' ?
					"is none of stdout, file:PATH and journald; give file: and "
					"the path" :
					"is none of stdout, file:PATH and journald");
	if (parameter_taken(&place, "max-files") && !spec.max_bytes)
		return complain(ret_message, text, "max-files does nothing without max-size");
	if (spec.max_bytes && !kind->has_path)
		return complain(ret_message, text, "only a file has a max-size");
	if (spec.max_bytes && !rotation_fits(spec.name + strlen(kind->prefix)))
		return complain(
			ret_message, text,
			"a file of so long a name cannot be rotated: 239 bytes are the most");
	if (parameter_taken(&place, "format") && kind->takes == SINK_RECORDS)
		return complain(ret_message, text,
				"a recording has a format of its own; --read gives its lines any");
	spec.takes = kind->takes;
	strcpy(spec.text, text); /* parsing has cut it into words */
	*ret_spec = spec;
	spec.filters = NULL;
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
	if (error == -ELOOP)
		return "; netlog follows links of root and its own user, and none to a recording that "
		       "it would write over: give the path that it leads to";
	if (error == -ENOTUNIQ)
		return "; each would spoil what the other one writes: give one of them another path";
	if (error == -EMLINK)
		return "; it has other names, and would be written over: give another path";
	if (error == -ENOENT)
		return "; its directory must be there";
	if (error == -EISDIR)
		return "; give a file in it";
	return "";
}

/* NULL: it has none. */
static const char *path_of(const struct sink_spec *spec)
{
	const struct sink_kind *kind = kind_of(spec->name);

	return kind->has_path ? spec->name + strlen(kind->prefix) : NULL;
}

/* Of files that are not there yet: their directories, and their names in there. */
static bool same_place(const char *a, const char *b)
{
	char copy_a[SINK_NAME_MAX], copy_b[SINK_NAME_MAX];
	struct stat of_a, of_b;

	strcpy(copy_a, a);
	strcpy(copy_b, b);
	return !strcmp(path_name(a), path_name(b)) && stat(dirname(copy_a), &of_a) == 0 &&
	       stat(dirname(copy_b), &of_b) == 0 && same_file(&of_a, &of_b);
}

static bool same_target(const struct sink_spec *a, const struct sink_spec *b)
{
	const char *path_a = path_of(a), *path_b = path_of(b);
	struct stat status;

	if (path_b && stat(path_b, &status) == 0)
		return !S_ISCHR(status.st_mode) && sink_spec_writes_over(a, &status);
	if (path_a && stat(path_a, &status) == 0)
		return !S_ISCHR(status.st_mode) && sink_spec_writes_over(b, &status);
	return path_a && path_b && same_place(path_a, path_b);
}

int sink_spec_check(const struct sink_spec *specs, unsigned int number)
{
	const struct sink_kind *kind = kind_of(specs[number].name);
	int r = kind->check ? kind->check(&specs[number]) : 0;

	for (unsigned int i = 0; i < number && r == 0; i++)
		r = same_target(&specs[i], &specs[number]) ? -ENOTUNIQ : 0;
	return r;
}

/* ---- opening ---- */

int sink_open(const struct sink_spec *spec, struct maker *maker, struct sink **ret_sink)
{
	struct sink *sink;
	int r = kind_of(spec->name)->open(spec, maker, &sink);

	if (r < 0)
		return r;
	sink->maker = maker;
	maker->users++;
	sink->name = strdup(spec->name);
	if (!sink->name) {
		sink_free(sink);
		return -ENOMEM;
	}
	*ret_sink = sink;
	return 0;
}
