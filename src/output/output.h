/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - where lines go: the fan-out to all sinks.
 */
#ifndef NETLOG_OUTPUT_H
#define NETLOG_OUTPUT_H

#include "output/sink.h"

#define OUTPUT_SINKS_MAX 8

/* The sinks of one maker. */
struct channel {
	struct maker *maker;			  /* NULL: no channel */
	struct sink *sinks[OUTPUT_SINKS_MAX + 1]; /* ends with a NULL */
};

/* Opaque to all but the inline functions here. */
struct output {
	struct maker_source *source;
	struct sink *sinks[OUTPUT_SINKS_MAX + 1]; /* ends with a NULL */
	unsigned int count;
	struct channel channels[OUTPUT_SINKS_MAX + 1]; /* the same sinks; ends with none */
	uint64_t events;			       /* that at least one sink takes, as bits */
	bool records;
	bool begun; /* what was there before has made way */
	bool origin_known;
	struct origin origin;
	char *spare;			  /* where pieces are made for sinks without a buffer */
	bool filtered;			  /* some sink has filters of its own */
	uint32_t unfiltered;		  /* bits of the sinks that have none */
	uint32_t generation;		  /* of the filters in force */
	uint32_t since[OUTPUT_SINKS_MAX]; /* first generation with a bit's present sink */
};

/* Generations take the rest of the word with the takers, and wrap around. */
#define OUTPUT_GENERATIONS (UINT32_MAX >> OUTPUT_SINKS_MAX)
#define OUTPUT_GENERATION_SIGN (OUTPUT_GENERATIONS / 2 + 1)

#define for_each_sink(output, each) \
	for (struct sink *const *next_ = (output)->sinks, *each; (each = *next_); next_++)

/*
 * An output without sinks. `source` provides the makers, and may be freed before the output; NULL
 * if the output is never configured. -ENOMEM. The caller frees it.
 */
int output_new(struct maker_source *source, struct output **ret_output);
void output_free(struct output *output);
DEFINE_CLEANUP(struct output, output_free)

/*
 * Have exactly these sinks. One of the same name stays, with the new parameters. Sinks no longer
 * wanted move to `removed`, with the lines that they still hold. -ENOSPC: too many; -ENOMEM;
 * -ENOTUNIQ: the sink *ret_failed would write into another one's file; or why it cannot be opened.
 * On an error, everything stays as it was, but for what output_begin() says of recordings.
 */
int output_configure(struct output *output, const struct sink_spec *specs, unsigned int count,
		     struct output *removed, const char **ret_failed);

/*
 * Older recordings make way: to be called when nothing else can fail any more, and before anything
 * is written. From then on output_configure() does so as well, once all sinks are open. An error is
 * that of the sink *ret_failed. Then recordings of others may have moved, as in a rotation; those
 * that do not move are emptied after all have moved, and rotated files removed.
 */
int output_begin(struct output *output, const char **ret_failed);

/* May the caller go on? Not while some sink without room is worth waiting for. */
bool output_ready(const struct output *output);

/* Whose items follow, for present and future makers. To be called before anything is written. */
void output_set_origin(struct output *output, const struct origin *origin);

/* Wait for slow sinks without a time limit, as a replay can. */
void output_set_patient(struct output *output);

/* Is one of the sinks a recording? It needs the record and the names of each event. */
static inline bool output_records(const struct output *output)
{
	return output->records;
}

/* The events that at least one sink takes, as bits. Others need not be made. */
static inline uint64_t output_events(const struct output *output)
{
	return output->events;
}

/* Does a sink take this event, whose takers are known? */
static inline bool output_takes(const struct output *output, const struct item *item)
{
	if (!output->filtered) /* a replay may have asked the filters for all */
		return item->takers && output->events & BIT(item->type);
	for_each_sink(output, sink)
		if (sink_takes(sink, item))
			return true;
	return false;
}

/* The filters of these sinks are now in force, as a new generation. */
void output_set_generation(struct output *output, uint32_t generation);

/* The bits that mean the same sinks now as in this generation. */
uint32_t output_lasting(const struct output *output, uint32_t generation);

/*
 * The sinks that may take a record, by the word that the kernel side put into its header
 * (ITEM_FOR_ALL for items that are no records). A sink keeps its bit while it exists. A record
 * older than a sink may have the bit for an earlier sink, so the new one must not take it. A sink
 * without filters takes every record.
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

/*
 * Write to a channel of several sinks: the piece is made for the first that has room, and copied.
 */
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
		/* not for this sink */
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
 * Write what the sinks hold. 0: all is out. -EAGAIN: something is left, and each sink's `state`
 * says why. -EPIPE: standard output's reader has gone; the other sinks have been flushed.
 */
int output_flush(struct output *output, uint64_t now_ns);

/* Stop waiting for sinks without room: they lose lines from now on. */
void output_give_up(struct output *output, uint64_t now_ns);

/* Is there a sink whose reader has not gone? */
bool output_alive(const struct output *output);

/* Has a reader gone whose leaving ends the run? */
bool output_reader_gone(const struct output *output);

/* The end: no sink writes any more, so pending lines can be counted. */
void output_stop(struct output *output);

/* Can any sink be opened again? */
bool output_reopens(const struct output *output);

/*
 * Open files that may have been renamed again. Returns the last sink's error, or 0: -EEXIST if its
 * path leads to another sink's file by now. A sink that fails goes on with its old file.
 */
int output_reopen(struct output *output);

/* Sink number `i`; NULL past the last. */
struct sink *output_sink(const struct output *output, unsigned int i);

#endif
