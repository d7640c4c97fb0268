// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/output.h"

#include <errno.h>

int output_new(struct output **ret_output)
{
	struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return -ENOMEM;
	*ret_output = output;
	return 0;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	for_each_sink(output, sink)
		sink_free(sink);
	free(output);
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
	for_each_sink(output, sink)
		sink->patience_ns = SINK_NEVER;
}

/* One that no other sink has now: another one may have had it before. */
static void sink_set_bit(struct output *output, struct sink *sink)
{
	uint32_t used = 0;
	int number;

	for_each_sink(output, other)
		used |= other->bit;
	number = __builtin_ctz(~used);
	sink->bit = (uint32_t)BIT(number);
	output->since[number] = (output->generation + 1) & OUTPUT_GENERATIONS;
}

int output_configure(struct output *output, const struct sink_spec *specs, unsigned int count,
		     struct output *removed, const char **ret_failed)
{
	struct output next = *output;
	int r = count > OUTPUT_SINKS_MAX ? -ENOSPC : 0;

	memset(next.sinks, 0, sizeof(next.sinks));
	next.count = 0;
	next.records = false;
	next.filtered = false;
	next.unfiltered = 0;
	for (unsigned int i = 0; !r && i < count; i++) {
		struct sink *sink = sink_by_name(output, specs[i].name);

		*ret_failed = specs[i].name;
		if (!sink)
			r = sink_open(&specs[i], &sink);
		if (r < 0)
			break;
		next.sinks[next.count++] = sink;
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
		if (!next.sinks[i]->bit)
			sink_set_bit(&next, next.sinks[i]);
		if (specs[i].filters)
			next.filtered = true;
		else
			next.unfiltered |= next.sinks[i]->bit;
		next.sinks[i]->events = specs[i].events | BIT(event_none);
		next.sinks[i]->patience_ns = count > 1 ? SINK_PATIENCE_NS : SINK_NEVER;
		if (next.sinks[i]->ops->configure)
			next.sinks[i]->ops->configure(next.sinks[i], &specs[i]);
	}
	next.events = sink_specs_events(specs, count);
	*output = next;
	return 0;
}

void output_set_generation(struct output *output, uint32_t generation)
{
	output->generation = generation & OUTPUT_GENERATIONS;
}

uint32_t output_lasting(const struct output *output, uint32_t generation)
{
	uint32_t lasting = 0;

	for (unsigned int i = 0; i < OUTPUT_SINKS_MAX; i++)
		/* which of two is later says the sign of their difference, modulo what fits */
		if (!((generation - output->since[i]) & OUTPUT_GENERATION_SIGN))
			lasting |= (uint32_t)BIT(i);
	return lasting;
}

bool output_ready(const struct output *output)
{
	for_each_sink(output, sink)
		if (sink_is_waited_for(sink))
			return false;
	return true;
}

void output_write(struct output *output, enum event_type type, const char *line, size_t length)
{
	for_each_sink(output, sink)
		if (sink_takes(sink, type, OUTPUT_ALL))
			sink_write(sink, type, NULL, line, length);
}

int output_flush(struct output *output, uint64_t now_ns)
{
	int result = 0;

	for_each_sink(output, sink) {
		sink_flush(sink, now_ns);
		if (sink->state == SINK_GONE)
			result = -EPIPE;
		else if (sink->state != SINK_FLOWING && !result)
			result = -EAGAIN;
	}
	return result;
}

void output_give_up(struct output *output, uint64_t now_ns)
{
	for_each_sink(output, sink)
		if (sink_is_waited_for(sink))
			sink_step(sink, SINK_ENOUGH, now_ns);
}

bool output_alive(const struct output *output)
{
	for_each_sink(output, sink)
		if (sink->state != SINK_GONE)
			return true;
	return false;
}

bool output_reader_gone(const struct output *output)
{
	for_each_sink(output, sink)
		if (sink->state == SINK_GONE)
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
