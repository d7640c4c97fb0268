// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "output/output.h"

#include <errno.h>
#include <sys/stat.h>

#include "output/path.h"

int output_new(struct maker_source *source, struct output **ret_output)
{
	_cleanup_(output_freep) struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return -ENOMEM;
	output->source = source;
	output->spare = malloc(OUTPUT_LINE_MAX);
	if (!output->spare)
		return -ENOMEM;
	*ret_output = output;
	output = NULL;
	return 0;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	for_each_sink(output, sink)
		sink_free(sink);
	free(output->spare);
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

/* Have a recording say whose items follow. It has a maker, and so a sink, of its own. */
static void channel_origin(const struct output *output, const struct channel *channel)
{
	struct sink *sink = channel->sinks[0];
	sink->end += channel->maker->ops->origin(channel->maker, &output->origin,
						 sink_place(sink, output->spare));
	sink->room = 0; /* to be asked for again */
}

void output_set_origin(struct output *output, const struct origin *origin)
{
	if (output->origin_known && !memcmp(&output->origin, origin, sizeof(*origin)))
		return;
	output->origin = *origin;
	output->origin_known = true;
	for (const struct channel *channel = output->channels; channel->maker; channel++)
		channel_origin(output, channel);
}

void output_set_patient(struct output *output)
{
	for_each_sink(output, sink)
		sink->patience_ns = SINK_NEVER;
}

/* Give the sink a bit that no other sink has now, though an earlier one may have had it. */
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

/* Get the sink's maker, counting one user more. A recording that goes on keeps its maker. */
static int maker_get(struct output *output, const struct sink_spec *spec, struct sink *sink,
		     struct maker **ret_maker)
{
	if (!sink || spec->takes != SINK_RECORDS)
		return output->source->get(output->source, spec, ret_maker);
	sink->maker->users++;
	*ret_maker = sink->maker;
	return 0;
}

/* The file that it writes to. False: none that could be spoilt, as a terminal or /dev/null. */
static bool sink_file(const struct sink *sink, struct stat *ret_status)
{
	return sink->ops->status && sink->ops->status(sink, ret_status) == 0 &&
	       !S_ISCHR(ret_status->st_mode);
}

/*
 * Two sinks in one file would spoil each other: the one rotates it while the other goes on there,
 * pieces end within those of the other, and nobody could tell whose are whose. By whatever name the
 * file goes, it is the same.
 */
static bool sinks_share(const struct sink *a, const struct sink *b)
{
	struct stat of_a, of_b;

	return a != b && sink_file(a, &of_a) && sink_file(b, &of_b) && same_file(&of_a, &of_b);
}

/* Is that file in this one's way, or would its rotations come to remove it? */
static bool sink_writes_over(const struct sink_spec *spec, const struct sink *other)
{
	struct stat status;

	return sink_file(other, &status) && sink_spec_writes_over(spec, &status);
}

/*
 * May the last of the sinks be beside the others, and, if it is new, those that are about to go?
 * One that stays may come to be rotated.
 */
static bool sink_is_beside(const struct output *output, const struct sink_spec *specs,
			   const struct output *next)
{
	const unsigned int last = next->count - 1;
	const struct sink *sink = next->sinks[last];

	if (!sink_is_of(sink, output))
		for_each_sink(output, other)
			if (sinks_share(sink, other))
				return false;
	for (unsigned int i = 0; i < last; i++)
		if (sink_writes_over(&specs[last], next->sinks[i]) ||
		    sink_writes_over(&specs[i], sink))
			return false;
	return true;
}

/* Find the sinks that are wanted, existing ones among them, and their makers. */
static int sinks_find(struct output *output, const struct sink_spec *specs, unsigned int count,
		      struct output *next, struct maker *makers[OUTPUT_SINKS_MAX],
		      const char **ret_failed)
{
	for (unsigned int i = 0; i < count; i++) {
		struct sink *sink = sink_by_name(output, specs[i].name);
		const bool known = sink;
		int r;

		*ret_failed = specs[i].name;
		r = maker_get(output, &specs[i], sink, &makers[i]);
		if (r == 0 && !known)
			r = sink_open(&specs[i], makers[i], &sink);
		if (r < 0)
			return r;
		next->sinks[next->count++] = sink;
		next->records |= specs[i].takes == SINK_RECORDS;
		if (!sink_is_beside(output, specs, next))
			return -ENOTUNIQ;
	}
	return 0;
}

static int sink_make_way(struct sink *sink, bool moving)
{
	int (*make_way)(struct sink * sink) = moving ? sink->ops->move : sink->ops->begin;

	return make_way ? make_way(sink) : 0;
}

/*
 * Sinks that are not of `before` (NULL: all) make way for what they will write. All move first, and
 * empty or remove last: so nothing is lost because one cannot move. An error is that of the sink at
 * *ret_failed.
 */
static int sinks_begin(const struct output *output, const struct output *before,
		       unsigned int *ret_failed)
{
	for (int moving = 1; moving >= 0; moving--)
		for (unsigned int i = 0; i < output->count; i++) {
			struct sink *sink = output->sinks[i];
			int r = before && sink_is_of(sink, before) ? 0 :
								     sink_make_way(sink, moving);

			*ret_failed = i;
			if (r < 0)
				return r;
		}
	return 0;
}

/* Group sinks with the same maker into channels, in the order of their first sinks. */
static void channels_make(struct output *output)
{
	for_each_sink(output, sink) {
		struct channel *channel = output->channels;
		unsigned int i = 0;

		while (channel->maker && channel->maker != sink->maker)
			channel++;
		channel->maker = sink->maker;
		while (channel->sinks[i])
			i++;
		channel->sinks[i] = sink;
	}
}

static void sink_configure(struct output *output, struct sink *sink, const struct sink_spec *spec,
			   struct maker *maker, bool alone)
{
	if (!sink->bit)
		sink_set_bit(output, sink);
	if (spec->filters)
		output->filtered = true;
	else
		output->unfiltered |= sink->bit;
	maker->users++;
	maker_put(sink->maker);
	sink->maker = maker;
	sink->events = spec->events | BIT(event_none);
	sink->patience_ns = alone ? SINK_NEVER : SINK_PATIENCE_NS;
	if (sink->ops->configure)
		sink->ops->configure(sink, spec);
}

/* Tell new makers whose items follow. Recordings that go on have been told already. */
static void origin_tell(const struct output *output, const struct output *before)
{
	for (const struct channel *channel = output->channels; channel->maker; channel++)
		if (output->origin_known &&
		    (maker_makes_lines(channel->maker) || !sink_is_of(channel->sinks[0], before)))
			channel_origin(output, channel);
}

int output_configure(struct output *output, const struct sink_spec *specs, unsigned int count,
		     struct output *removed, const char **ret_failed)
{
	struct maker *makers[OUTPUT_SINKS_MAX] = {};
	struct output next = *output;
	unsigned int i = 0;
	int r = count > OUTPUT_SINKS_MAX ? -ENOSPC : 0;

	memset(next.sinks, 0, sizeof(next.sinks));
	memset(next.channels, 0, sizeof(next.channels));
	next.count = 0;
	next.records = false;
	next.filtered = false;
	next.unfiltered = 0;
	r = r ?: sinks_find(output, specs, count, &next, makers, ret_failed);
	if (r == 0 && output->begun) {
		r = sinks_begin(&next, output, &i);
		*ret_failed = r < 0 ? specs[i].name : "";
	}
	if (r == 0) {
		for_each_sink(output, sink)
			if (!sink_is_of(sink, &next))
				removed->sinks[removed->count++] = sink;
		for (i = 0; i < count; i++)
			sink_configure(&next, next.sinks[i], &specs[i], makers[i], count == 1);
		channels_make(&next);
		origin_tell(&next, output);
		next.events = sink_specs_events(specs, count);
		*output = next;
	} else {
		for_each_sink(&next, sink)
			if (!sink_is_of(sink, output))
				sink_free(sink);
	}
	for (i = 0; i < OUTPUT_SINKS_MAX; i++)
		maker_put(makers[i]);
	return r;
}

int output_begin(struct output *output, const char **ret_failed)
{
	unsigned int failed = 0;
	int r = sinks_begin(output, NULL, &failed);

	if (r < 0) {
		*ret_failed = output->sinks[failed]->name;
		return r;
	}
	output->begun = true;
	return 0;
}

void output_set_generation(struct output *output, uint32_t generation)
{
	output->generation = generation & OUTPUT_GENERATIONS;
	/* what is long ago must not come to look like the future, for numbers begin anew */
	for (unsigned int i = 0; i < OUTPUT_SINKS_MAX; i++) {
		const uint32_t age = (output->generation - output->since[i]) & OUTPUT_GENERATIONS;

		if (age > OUTPUT_GENERATIONS / 4 && !(age & OUTPUT_GENERATION_SIGN))
			output->since[i] =
				(output->generation - OUTPUT_GENERATIONS / 4) & OUTPUT_GENERATIONS;
	}
}

uint32_t output_lasting(const struct output *output, uint32_t generation)
{
	uint32_t lasting = 0;

	for (unsigned int i = 0; i < OUTPUT_SINKS_MAX; i++)
		/* the sign of their difference says which of the two is later, even after a wrap */
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

bool channel_write_all(const struct output *output, const struct channel *channel,
		       const struct item *item)
{
	const char *made = NULL;
	size_t length = 0;
	bool ready = true;

	for_each_sink(channel, sink) {
		if (!sink_takes(sink, item)) {
			/* not for this sink */
		} else if (!sink_admits(sink, item->type)) {
			sink->lost.of[item->type]++;
		} else if (made) {
			sink_put(sink, item->type, made, length);
		} else {
			char *place = sink_place(sink, output->spare);

			length = channel->maker->ops->make(channel->maker, item, place);
			sink_take(sink, item->type, place, length);
			made = place;
		}
		ready &= !sink_is_waited_for(sink);
	}
	return ready;
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

/* Links may lead elsewhere by now. */
static bool path_is_taken(const struct output *output, const struct sink *sink)
{
	struct stat status;

	for_each_sink(output, other)
		if (other != sink && sink_file(other, &status) &&
		    sink_name_leads_to(sink->name, &status))
			return true;
	return false;
}

static int sink_reopen(const struct output *output, struct sink *sink)
{
	if (!sink->ops->reopen)
		return 0;
	return path_is_taken(output, sink) ? -EEXIST : sink->ops->reopen(sink);
}

int output_reopen(struct output *output)
{
	int result = 0;

	for_each_sink(output, sink) {
		int r = sink_reopen(output, sink);

		if (r < 0)
			result = r;
	}
	return result;
}

struct sink *output_sink(const struct output *output, unsigned int i)
{
	return i < output->count ? output->sinks[i] : NULL;
}
