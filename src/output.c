// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output.h"

#include <errno.h>

#define SINKS_MAX 8
#define FILE_PREFIX "file:"

struct output {
	struct sink *sinks[SINKS_MAX];
	unsigned int count;
	size_t line_max;
};

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
	for (unsigned int i = 0; i < output->count; i++)
		sink_free(output->sinks[i]);
	free(output);
}

/* The path in `file:PATH`, NULL if it is none. */
static const char *spec_path(const char *spec)
{
	if (strncmp(spec, FILE_PREFIX, strlen(FILE_PREFIX)) || !spec[strlen(FILE_PREFIX)])
		return NULL;
	return spec + strlen(FILE_PREFIX);
}

bool output_spec_valid(const char *spec)
{
	return !strcmp(spec, "stdout") || spec_path(spec);
}

int output_add(struct output *output, const char *spec)
{
	struct sink *sink;
	int r;

	if (!output_spec_valid(spec) || output->count == SINKS_MAX)
		return -EINVAL;
	r = spec_path(spec) ? sink_file_open(spec_path(spec), output->line_max, &sink) :
			      sink_stdout_open(output->line_max, &sink);
	if (r < 0)
		return r;
	sink->name = strdup(spec);
	if (!sink->name) {
		sink_free(sink);
		return -ENOMEM;
	}
	output->sinks[output->count++] = sink;
	return 0;
}

bool output_ready(const struct output *output)
{
	for (unsigned int i = 0; i < output->count; i++)
		if (!output->sinks[i]->ops->ready(output->sinks[i]))
			return false;
	return true;
}

void output_write(struct output *output, const char *line, size_t length)
{
	for (unsigned int i = 0; i < output->count; i++)
		output->sinks[i]->ops->write(output->sinks[i], line, length);
}

int output_flush(struct output *output, const char **ret_name)
{
	int result = 0;

	for (unsigned int i = 0; i < output->count; i++) {
		struct sink *sink = output->sinks[i];
		int r = sink->ops->flush(sink);

		if (r == -EAGAIN) {
			result = r;
		} else if (r < 0) {
			*ret_name = sink->name;
			return r;
		}
	}
	return result;
}

int output_fd(const struct output *output, unsigned int i)
{
	if (i >= output->count)
		return -ENOENT;
	return output->sinks[i]->ops->fd(output->sinks[i]);
}
