/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - where lines go: the fan-out to all sinks.
 */
#ifndef NETLOG_OUTPUT_H
#define NETLOG_OUTPUT_H

#include "output/sink.h"

#define OUTPUT_SINKS_MAX 8

/* Opaque to all but the inline functions here. */
struct output {
	struct sink *sinks[OUTPUT_SINKS_MAX + 1]; /* ends with a NULL */
	unsigned int count;
	uint64_t events; /* that any of them takes, as bits */
	bool records;
	bool origin_known;
	struct recording_origin origin;
	bool filtered;			  /* a sink has filters of its own */
	uint32_t unfiltered;		  /* those that have none, by their bits */
	uint32_t generation;		  /* of the filters in force */
	uint32_t since[OUTPUT_SINKS_MAX]; /* the first generation in which a bit is its sink's */
};

#define OUTPUT_ALL UINT32_MAX /* takers: all of them */

/* Generations fill the rest of the word that has the takers, and begin anew. */
#define OUTPUT_GENERATIONS (UINT32_MAX >> OUTPUT_SINKS_MAX)
#define OUTPUT_GENERATION_SIGN (OUTPUT_GENERATIONS / 2 + 1)

#define for_each_sink(output, each) \
	for (struct sink *const *next_ = (output)->sinks, *each; (each = *next_); next_++)

/* An output without sinks. -ENOMEM. The caller frees it. */
int output_new(struct output **ret_output);
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

/* Who writes, for recordings; those that are there and those to come. To be told first of all. */
void output_set_origin(struct output *output, const struct recording_origin *origin);

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
static inline bool output_takes(const struct output *output, enum event_type type, uint32_t takers)
{
	for_each_sink(output, sink)
		if (sink_takes(sink, type, takers))
			return true;
	return false;
}

/* The filters of these sinks are in force, as a new generation. */
void output_set_generation(struct output *output, uint32_t generation);

/* The sinks of this generation that there are still. */
uint32_t output_lasting(const struct output *output, uint32_t generation);

/*
 * Who takes a record, by the word that the kernel side put into its header (OUTPUT_ALL is for what
 * is no record). A sink is known by a bit for as long as it is there. A record from before it came
 * may have that bit for another one's sake, and is not for it; but a sink without filters takes all
 * there is.
 */
static inline uint32_t output_takers(const struct output *output, uint32_t word)
{
	uint32_t takers = word & ((1U << OUTPUT_SINKS_MAX) - 1);
	uint32_t generation = word >> OUTPUT_SINKS_MAX;

	if (!output->filtered)
		return OUTPUT_ALL;
	if (generation != output->generation)
		takers &= output_lasting(output, generation);
	return takers | output->unfiltered;
}

/*
 * Where to make the line of an event: OUTPUT_LINE_MAX bytes that output_write() need not copy, good
 * until the next call of anything here; else `spare`. NULL: no sink takes such a line.
 */
static inline char *output_place(const struct output *output, enum event_type type, uint32_t takers,
				 char *spare)
{
	bool wanted = false;

	for_each_sink(output, sink) {
		if (!sink_takes(sink, type, takers))
			continue;
		if (sink->buffer && sink_ready(sink))
			return sink->buffer + sink->end;
		wanted |= !sink->ops->record;
	}
	return wanted ? spare : NULL;
}

/*
 * Hand one line, newline included, to every sink that takes the type (event_none: a control line);
 * a sink without room loses it.
 */
void output_write(struct output *output, enum event_type type, const char *line, size_t length);

/*
 * The same, of an event: recordings get its record, which may be NULL where there is none; the line
 * may be left out (length 0) where output_place() says so. Returns output_ready().
 */
static inline bool output_write_event(struct output *output, enum event_type type, uint32_t takers,
				      const struct recording_item *event, const char *line,
				      size_t length)
{
	bool ready = true;

	for_each_sink(output, sink) {
		if (!sink_takes(sink, type, takers)) {
			/* not for this one */
		} else if (line && sink->buffer && sink->state != SINK_GONE &&
			   sink->room >= OUTPUT_LINE_MAX + OUTPUT_RESERVE) {
			sink_put(sink, line, length);
			sink->room -= length;
			sink->taken.of[type]++;
		} else {
			sink_write(sink, type, event, line, length);
		}
		ready &= !sink_is_waited_for(sink);
	}
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
