// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output.h"

#include <errno.h>

#define FILE_PREFIX "file:"
#define MAX_BYTES_LEAST (64 * 1024)
#define MAX_FILES_DEFAULT 5
#define MAX_FILES_MOST 1000

struct output {
	struct sink *sinks[OUTPUT_SINKS_MAX];
	unsigned int count;
	size_t line_max;
};

#define for_each_sink(output, sink)                           \
	for (unsigned int i_ = 0; i_ < (output)->count; i_++) \
		for (struct sink *sink = (output)->sinks[i_]; sink; sink = NULL)

int output_new(size_t line_max, struct output **ret_output)
{
	struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return -ENOMEM;
	output->line_max = line_max;
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

static int parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_number)
{
	if (parse_u64(text, ret_number) < 0)
		return -EINVAL;
	return *ret_number < least || *ret_number > most ? -EINVAL : 0;
}

static int parse_event(const char *name, uint64_t *events)
{
	enum event_type type = event_by_name(name);

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
		return parse_event(word, &spec->events) < 0 ? "there is no such event" : NULL;
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
	return "known are events=, max-size=, max-files=";
}

/* The path in `file:PATH`, NULL if it is none. */
static const char *spec_path(const char *name)
{
	if (strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) != 0 || !name[strlen(FILE_PREFIX)])
		return NULL;
	return name + strlen(FILE_PREFIX);
}

static int complain(char **ret_message, const char *text, const char *hint)
{
	if (asprintf(ret_message, "--output: '%s': %s", text, hint) < 0)
		*ret_message = NULL;
	return -EINVAL;
}

int sink_spec_parse(const char *text, struct sink_spec *ret_spec, char **ret_message)
{
	struct sink_spec spec = { .max_files = MAX_FILES_DEFAULT };
	bool in_events = false;
	char *rest, *word;

	if (strlen(text) >= sizeof(spec.name))
		return complain(ret_message, text, "is too long");
	for_each_event_type(type)
		spec.events |= BIT(type);
	rest = strcpy(spec.name, text);
	strsep(&rest, ",");
	while ((word = strsep(&rest, ","))) {
		const char *wrong = parse_parameter(&spec, word, &in_events);

		if (wrong)
			return complain(ret_message, word, wrong);
	}
	if (strcmp(spec.name, "stdout") != 0 && !spec_path(spec.name))
		return complain(ret_message, spec.name, "is neither stdout nor file:PATH");
	if (spec.max_bytes && !spec_path(spec.name))
		return complain(ret_message, text, "only a file has a max-size");
	*ret_spec = spec;
	return 0;
}

/* ---- the sinks ---- */

int output_add(struct output *output, const struct sink_spec *spec)
{
	struct sink *sink;
	int r;

	if (output->count == OUTPUT_SINKS_MAX)
		return -ENOSPC;
	r = spec_path(spec->name) ? sink_file_open(spec, output->line_max, &sink) :
				    sink_stdout_open(spec, output->line_max, &sink);
	if (r < 0)
		return r;
	sink->events = spec->events;
	sink->name = strdup(spec->name);
	if (!sink->name) {
		sink_free(sink);
		return -ENOMEM;
	}
	output->sinks[output->count++] = sink;
	return 0;
}

bool output_ready(const struct output *output)
{
	for_each_sink(output, sink)
		if (!sink->given_up && !sink->ops->ready(sink))
			return false;
	return true;
}

void output_write(struct output *output, enum event_type type, const char *line, size_t length)
{
	for_each_sink(output, sink) {
		if (type != event_none && !(sink->events & BIT(type)))
			continue;
		if (sink->ops->ready(sink)) {
			sink->ops->write(sink, line, length);
			sink->taken.of[type]++;
		} else {
			sink->lost.of[type]++;
		}
	}
}

/* A failing sink is not waited for, nor is one that has been slow for long while others were not. */
static void sink_judge(struct sink *sink, int r, uint64_t now_ns, bool alone)
{
	if (r != -EAGAIN || sink->error != -EAGAIN || sink->written_bytes != sink->judged_bytes)
		sink->slow_since_ns = now_ns;
	sink->judged_bytes = sink->written_bytes;
	sink->error = r;
	if (r == 0)
		sink->given_up = false;
	else if (r != -EAGAIN)
		sink->given_up = true;
	else if (!alone && now_ns - sink->slow_since_ns > OUTPUT_PATIENCE_NS)
		sink->given_up = true;
}

int output_flush(struct output *output, uint64_t now_ns)
{
	int result = 0;

	for_each_sink(output, sink) {
		int r = sink->ops->flush(sink);

		if ((r == -EPIPE || r == -ECONNRESET) && !spec_path(sink->name))
			return -EPIPE;
		sink_judge(sink, r, now_ns, output->count == 1);
		if (r < 0)
			result = -EAGAIN;
	}
	return result;
}

void output_give_up(struct output *output)
{
	for_each_sink(output, sink)
		sink->given_up = true;
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

const struct sink *output_sink(const struct output *output, unsigned int i)
{
	return i < output->count ? output->sinks[i] : NULL;
}
