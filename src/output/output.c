// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/output.h"

#include <errno.h>

#include "output/parameter.h"

#define MAX_FILES_DEFAULT 5

int output_new(struct output **ret_output)
{
	struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return -ENOMEM;
	*ret_output = output;
	return 0;
}

static void sink_free(struct sink *sink)
{
	free(sink->name);
	sink->ops->free(sink);
}

void output_free(struct output *output)
{
	if (!output)
		return;
	for_each_sink(output, sink)
		sink_free(sink);
	free(output);
}

/* ---- specifications ---- */

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
	struct parameter_place place = {};
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
		_cleanup_free_ char *wrong = parameter_take(&spec, &place, word);

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
	spec.records = kind->records;
	*ret_spec = spec;
	return 0;
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

/* ---- the sinks ---- */

static int sink_open(const struct sink_spec *spec, struct sink **ret_sink)
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

static struct sink *sink_by_name(const struct output *output, const char *name)
{
	for_each_sink(output, sink)
		if (!strcmp(sink->name, name))
			return sink;
	return NULL;
}

static bool sink_is_of(const struct sink *sink, const struct output *output)
{
	for_each_sink(output, own)
		if (own == sink)
			return true;
	return false;
}

static void sink_origin(struct sink *sink, const struct recording_origin *origin)
{
	if (sink->ops->origin)
		sink->ops->origin(sink, origin);
	sink->room = 0; /* to be asked for anew */
}

void output_set_origin(struct output *output, const struct recording_origin *origin)
{
	if (output->origin_known && !memcmp(&output->origin, origin, sizeof(*origin)))
		return;
	output->origin = *origin;
	output->origin_known = true;
	for_each_sink(output, sink)
		sink_origin(sink, origin);
}

void output_set_patient(struct output *output)
{
	output->patient = true;
}

int output_configure(struct output *output, const struct sink_spec *specs, unsigned int count,
		     struct output *removed, const char **ret_failed)
{
	struct output next = *output;
	int r = count > OUTPUT_SINKS_MAX ? -ENOSPC : 0;

	memset(next.sinks, 0, sizeof(next.sinks));
	next.count = 0;
	next.takes_lines = next.records = false;
	for (unsigned int i = 0; !r && i < count; i++) {
		struct sink *sink = sink_by_name(output, specs[i].name);

		*ret_failed = specs[i].name;
		if (!sink)
			r = sink_open(&specs[i], &sink);
		if (r < 0)
			break;
		next.sinks[next.count++] = sink;
		next.takes_lines |= !sink->ops->record;
		next.records |= !!sink->ops->record;
	}
	if (r < 0) {
		for_each_sink(&next, sink)
			if (!sink_is_of(sink, output))
				sink_free(sink);
		return r;
	}
	for_each_sink(output, sink)
		if (!sink_is_of(sink, &next))
			removed->sinks[removed->count++] = sink;
	for (unsigned int i = 0; i < count; i++) {
		if (!sink_is_of(next.sinks[i], output) && output->origin_known)
			sink_origin(next.sinks[i], &output->origin);
		next.sinks[i]->events = specs[i].events;
		if (next.sinks[i]->ops->configure)
			next.sinks[i]->ops->configure(next.sinks[i], &specs[i]);
	}
	*output = next;
	return 0;
}

bool output_ready(const struct output *output)
{
	for_each_sink(output, sink)
		if (sink_is_waited_for(sink))
			return false;
	return true;
}

/* The record of an event to a recording; NULL: the line. Returns how much room that takes. */
static size_t recording_write(struct sink *sink, const struct recording_item *event,
			      const char *line, size_t length)
{
	if (event)
		sink->ops->record(sink, event);
	else
		sink->ops->write(sink, line, length);
	return RECORDING_ITEM_BYTES(event ? event->size : length);
}

void sink_write(struct sink *sink, enum event_type type, const struct recording_item *event,
		const char *line, size_t length)
{
	size_t needed = type == event_none ? length : OUTPUT_LINE_MAX + OUTPUT_RESERVE;

	if (sink->room < needed)
		sink->room = sink->ops->room(sink);
	if (sink->room < needed || sink->gone) {
		sink->lost.of[type]++;
		return;
	}
	if (sink->buffer)
		sink_put(sink, line, length);
	else if (sink->ops->record)
		length = recording_write(sink, event, line, length);
	else
		sink->ops->write(sink, line, length);
	/* a recording has some to spare for what is around a control line */
	sink->room -= length < sink->room ? length : sink->room;
	sink->taken.of[type]++;
}

void output_write(struct output *output, enum event_type type, const char *line, size_t length)
{
	for_each_sink(output, sink)
		if (type == event_none || sink->events & BIT(type))
			sink_write(sink, type, NULL, line, length);
}

/*
 * A failing sink is not waited for; nor, beside others, is one without room that has been behind
 * for long, whether or not it takes a little now and then.
 */
static void sink_judge(struct sink *sink, int r, uint64_t now_ns, bool alone)
{
	bool was_behind = sink->error == -EAGAIN;

	if (r != -EAGAIN || !was_behind)
		sink->behind_since_ns = now_ns;
	if (r != -EAGAIN || !was_behind || sink->written_bytes != sink->judged_bytes)
		sink->slow_since_ns = now_ns;
	sink->judged_bytes = sink->written_bytes;
	sink->error = r;
	if (r == 0)
		sink->given_up = false;
	else if (r != -EAGAIN)
		sink->given_up = true;
	else if (!alone && !sink_ready(sink) && now_ns - sink->behind_since_ns > OUTPUT_PATIENCE_NS)
		sink->given_up = true;
}

int output_flush(struct output *output, uint64_t now_ns)
{
	int result = 0;

	for_each_sink(output, sink) {
		int r = sink->gone ? 0 : sink->ops->flush(sink);

		if ((r == -EPIPE || r == -ECONNRESET) && sink->ops->ends_run)
			sink->gone = true;
		if (sink->gone) {
			result = -EPIPE;
			continue;
		}
		sink_judge(sink, r, now_ns, output->count == 1 || output->patient);
		if (r < 0 && !result)
			result = -EAGAIN;
	}
	return result;
}

void output_give_up(struct output *output)
{
	for_each_sink(output, sink)
		if (!sink_ready(sink))
			sink->given_up = true;
}

bool output_alive(const struct output *output)
{
	for_each_sink(output, sink)
		if (!sink->gone)
			return true;
	return false;
}

void output_stop(struct output *output)
{
	for_each_sink(output, sink)
		if (sink->ops->stop)
			sink->ops->stop(sink);
}

bool output_reopens(const struct output *output)
{
	for_each_sink(output, sink)
		if (sink->ops->reopen)
			return true;
	return false;
}

int output_reopen(struct output *output)
{
	int result = 0;

	for_each_sink(output, sink) {
		int r = sink->ops->reopen ? sink->ops->reopen(sink) : 0;

		if (r < 0)
			result = r;
	}
	return result;
}

struct sink *output_sink(const struct output *output, unsigned int i)
{
	return i < output->count ? output->sinks[i] : NULL;
}
