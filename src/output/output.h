/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - where lines go: the fan-out to all sinks.
 */
#ifndef NETLOG_OUTPUT_H
#define NETLOG_OUTPUT_H

#include "output/sink.h"

#define OUTPUT_SINKS_MAX 8

/* Sinks that take the same bytes. */
struct channel {
	struct maker *maker;			  /* theirs; NULL: no channel */
	struct sink *sinks[OUTPUT_SINKS_MAX + 1]; /* ends with a NULL */
};

/* Opaque to all but the inline functions here. */
struct output {
	struct maker_source *source;
	struct sink *sinks[OUTPUT_SINKS_MAX + 1]; /* ends with a NULL */
	unsigned int count;
	struct channel channels[OUTPUT_SINKS_MAX + 1]; /* the same sinks; ends with none */
	uint64_t events;			       /* that any of them takes, as bits */
	bool records;
	bool origin_known;
	struct origin origin;
	char *spare;			  /* where pieces are made for a sink without a buffer */
	bool filtered;			  /* a sink has filters of its own */
	uint32_t unfiltered;		  /* those that have none, by their bits */
	uint32_t generation;		  /* of the filters in force */
	uint32_t since[OUTPUT_SINKS_MAX]; /* the first generation in which a bit is its sink's */
};

/* Generations fill the rest of the word that has the takers, and begin anew. */
#define OUTPUT_GENERATIONS (UINT32_MAX >> OUTPUT_SINKS_MAX)
#define OUTPUT_GENERATION_SIGN (OUTPUT_GENERATIONS / 2 + 1)

#define for_each_sink(output, each) \
	for (struct sink *const *next_ = (output)->sinks, *each; (each = *next_); next_++)

/*
 * An output without sinks. Who makes their bytes is asked of the source, which may go before the
 * output; NULL, for one that is never configured. -ENOMEM. The caller frees it.
 */
int output_new(struct maker_source *source, struct output **ret_output);
void output_free(struct output *output);
DEFINE_CLEANUP(struct output, output_free)

/*
 * Have these sinks and no others. One of the same name stays, with the new parameters; what is no
 * longer wanted is moved to `removed`, with the lines that it still holds. -ENOSPC: too many;
 * -ENOMEM; or why the sink *ret_failed cannot be opened: then all is as it was.
 */
int output_configure(struct output *output, const struct sink_spec *specs, unsigned int count,
		     struct output *removed, const char **ret_failed);

/* Should the caller go on? Not while there is a sink without room that is worth waiting for. */
bool output_ready(const struct output *output);

/* Whose items come, for makers that are there and those to come. To be told first of all. */
void output_set_origin(struct output *output, const struct origin *origin);

/* Wait for slow sinks however long it takes: what is written can wait, too. */
void output_set_patient(struct output *output);

/* Is there a recording, which needs the record and the names of each event? */
static inline bool output_records(const struct output *output)
{
	return output->records;
}

/* The events that one sink at least takes, as bits: of others there is nothing to be made. */
static inline uint64_t output_events(const struct output *output)
{
	return output->events;
}

/* The same, of an event whose takers are known: is there one that it is made for? */
static inline bool output_takes(const struct output *output, const struct item *item)
{
	if (!output->filtered) /* a replay may have asked the filters for all */
		return item->takers && output->events & BIT(item->type);
	for_each_sink(output, sink)
		if (sink_takes(sink, item))
			return true;
	return false;
}

/* The filters of these sinks are in force, as a new generation. */
void output_set_generation(struct output *output, uint32_t generation);

/* The sinks of this generation that there are still. */
uint32_t output_lasting(const struct output *output, uint32_t generation);

/*
 * Who takes a record, by the word that the kernel side put into its header (ITEM_FOR_ALL is for
 * what is no record). A sink is known by a bit for as long as it is there. A record from before it
 * came may have that bit for another one's sake, and is not for it; but a sink without filters
 * takes all there is.
 */
static inline uint32_t output_takers(const struct output *output, uint32_t word)
{
	uint32_t takers = word & ((1U << OUTPUT_SINKS_MAX) - 1);
	uint32_t generation = word >> OUTPUT_SINKS_MAX;

	if (!output->filtered)
		return ITEM_FOR_ALL;
	if (generation != output->generation)
		takers &= output_lasting(output, generation);
	return takers | output->unfiltered;
}

/* To a channel of several: made for the first one that has room, and copied to the others. */
bool channel_write_all(const struct output *output, const struct channel *channel,
		       const struct item *item);

static inline bool channel_write(const struct output *output, const struct channel *channel,
				 const struct item *item)
{
	struct sink *sink = channel->sinks[0];
	char *place;

	if (channel->sinks[1])
		return channel_write_all(output, channel, item);
	if (!sink_takes(sink, item)) {
		/* not for this one */
	} else if (sink_admits(sink, item->type)) {
		place = sink_place(sink, output->spare);
		sink_take(sink, item->type, place,
			  channel->maker->ops->make(channel->maker, item, place));
	} else {
		sink->lost.of[item->type]++;
	}
	return !sink_is_waited_for(sink);
}

/*
 * Hand the item to every sink that takes it; a sink without room loses it. Returns output_ready().
 */
static inline bool output_write(const struct output *output, const struct item *item)
{
	bool ready = true;

	for (const struct channel *channel = output->channels; channel->maker; channel++)
		ready &= channel_write(output, channel, item);
	return ready;
}

/*
 * Write what the sinks hold. 0 when all is out, -EAGAIN when something is left: of which sink, and
 * why, is in its `state`. -EPIPE: standard output's reader has gone; the others have been flushed.
 */
int output_flush(struct output *output, uint64_t now_ns);

/* Wait no more for the sinks that have no room now: they lose lines. */
void output_give_up(struct output *output, uint64_t now_ns);

/* Is there an output left, whose reader has not gone? */
bool output_alive(const struct output *output);

/* Has the reader of one gone? Then the run is over, also for the others. */
bool output_reader_gone(const struct output *output);

/* The end: no sink writes any more, and what is pending can be counted. */
void output_stop(struct output *output);

/* Is there a sink that can be opened anew? */
bool output_reopens(const struct output *output);

/*
 * Open files anew that may have been renamed. The error of the last sink that could not be, or 0;
 * such a one goes on with the file it has.
 */
int output_reopen(struct output *output);

/* Sink number `i`, NULL past the last. */
struct sink *output_sink(const struct output *output, unsigned int i);

#endif
