/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - where lines go: sinks, and the fan-out to all of them.
 *
 * A sink takes whole lines into a bounded buffer and writes them when it is flushed. It never
 * blocks: what the other end does not take stays in the buffer. While the buffer is full the output
 * is not ready, and the caller leaves the events in the ring, where the kernel counts what does not
 * fit: a slow reader costs counted events, never memory. But a sink that fails, or that is slow for
 * long while others are not, is not waited for: it loses lines, and counts them. A reserve of each
 * buffer is kept for control lines: that a reader is slow must not cost it the line that says so.
 */
#ifndef NETLOG_OUTPUT_H
#define NETLOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "output/recording.h"
#include "schema/event.h"

#define OUTPUT_SINKS_MAX 8
#define SINK_NAME_MAX 512	   /* so that the names of all, escaped, fit one control line */
#define OUTPUT_LINE_MAX 16384	   /* bytes, newline included; of a control line, too */
#define OUTPUT_RESERVE (32 * 1024) /* bytes of a sink's buffer that only control lines may take */
#define OUTPUT_PATIENCE_NS (NSEC_PER_SEC / 10) /* with a slow sink, while others take lines */

struct sink;

/*
 * What a sink is to be: stdout, file:PATH, record:PATH (a recording; `-` is standard output) or
 * journald, with parameters after commas: events=A,B, and for a file max-size=BYTES and
 * max-files=N. A comma is thus no part of a path.
 */
struct sink_spec {
	char text[SINK_NAME_MAX]; /* as it was given */
	char name[SINK_NAME_MAX]; /* without the parameters */
	uint64_t events;
	bool records;		/* a recording, not lines */
	uint64_t max_bytes;	/* 0: never rotated */
	unsigned int max_files; /* rotated ones that are kept */
};

/* What a kind of sink can do. */
struct sink_ops {
	/* Bytes that it has room for. */
	size_t (*room)(const struct sink *sink);
	/* Take one line; only while there is room. NULL: the sink's buffer takes it. */
	void (*write)(struct sink *sink, const char *line, size_t length);
	/* The same for an event's record and its names, of those that make a recording; NULL: it
	 * takes lines. */
	void (*record)(struct sink *sink, const struct recording_item *event);
	/* Who makes the recording; before anything is written, and when that changes. NULL: none. */
	void (*origin)(struct sink *sink, const struct recording_origin *origin);
	/* Write what it holds: 0 when all is out, -EAGAIN when the other end is slow, or an error. */
	int (*flush)(struct sink *sink);
	/* Open anew what may have been renamed; the old one stays on an error. NULL: nothing to do.
	 */
	int (*reopen)(struct sink *sink);
	/* Take other parameters, from the next line on. NULL: it has none. */
	void (*configure)(struct sink *sink, const struct sink_spec *spec);
	/* Lines in its buffer. */
	size_t (*pending)(const struct sink *sink);
	/* To be watched for being writable, and for the reader's going; -EPERM: cannot be. */
	int (*fd)(const struct sink *sink);
	/* Try no more: what is pending stays so. NULL: it never does by itself. */
	void (*stop)(struct sink *sink);
	void (*free)(struct sink *sink);
	bool ends_run; /* when its reader has gone, there is nothing left to do */
};

/* The head of every sink. */
struct sink {
	const struct sink_ops *ops;
	char *buffer;	      /* where lines lie, one behind the other; NULL: `write` takes them */
	size_t end;	      /* bytes in its buffer */
	char *name;	      /* as the user wrote it, without its parameters */
	uint64_t events;      /* event types it takes, as bits; control lines it always takes */
	size_t room;	      /* bytes that it has room for, at the least: flushing makes more */
	struct figures taken; /* lines that were handed to it */
	struct figures lost;  /* lines for which it had no room */
	int error;	      /* of the last flush: 0, -EAGAIN, or what failed */
	uint64_t written_bytes;	  /* so far; the sink counts */
	uint64_t judged_bytes;	  /* of these, at the last flush */
	uint64_t slow_since_ns;	  /* when it last took something, or began not to */
	uint64_t behind_since_ns; /* when all it held was last out */
	bool given_up;		  /* nobody waits for it */
	bool gone;		  /* its reader has gone, for good: it loses all lines */
	struct {
		struct figures lost; /* of `lost`, what has been told in a line */
		int error;	     /* the error that was last seen */
		bool logged;	     /* and whether it was logged */
		uint64_t at_ns;	     /* and when one was */
	} told;			     /* report.c's */
};

/* Asking takes a call, so what was said last is remembered: only our own lines make it less. */
static inline bool sink_has_room(const struct sink *sink, size_t bytes)
{
	return sink->room >= bytes || sink->ops->room(sink) >= bytes;
}

/* Has the sink room for an event's line? */
static inline bool sink_ready(const struct sink *sink)
{
	return sink_has_room(sink, OUTPUT_LINE_MAX + OUTPUT_RESERVE);
}

/* Is this for the sink? All that asks goes by this. */
static inline bool sink_takes(const struct sink *sink, enum event_type type)
{
	return type == event_none || sink->events & BIT(type);
}

/* Has it no room, and is it worth waiting for? */
static inline bool sink_is_waited_for(const struct sink *sink)
{
	return !sink_ready(sink) && !sink->given_up && !sink->gone;
}

/* Take a line into the sink's buffer; one that lies at its place there already is not copied. */
static inline void sink_put(struct sink *sink, const char *line, size_t length)
{
	if (line != sink->buffer + sink->end)
		memcpy(sink->buffer + sink->end, line, length);
	sink->end += length;
}

/* Opaque to all but the inline functions here. */
struct output {
	struct sink *sinks[OUTPUT_SINKS_MAX + 1]; /* ends with a NULL */
	unsigned int count;
	uint64_t events; /* that any of them takes, as bits */
	bool records;
	bool patient;
	bool origin_known;
	struct recording_origin origin;
};

#define for_each_sink(output, each) \
	for (struct sink *const *next_ = (output)->sinks, *each; (each = *next_); next_++)

/* An output without sinks. -ENOMEM. The caller frees it. */
int output_new(struct output **ret_output);
void output_free(struct output *output);
DEFINE_CLEANUP(struct output, output_free)

/*
 * Read a specification; opens nothing. -EINVAL, and *ret_message (the caller frees it; NULL if
 * memory is short) says what is wrong.
 */
int sink_spec_parse(const char *text, struct sink_spec *ret_spec, char **ret_message);

/* The events that one of these at least takes, as bits. */
uint64_t sink_specs_events(const struct sink_spec *specs, unsigned int count);

struct stat;

/* What to do about an output that cannot be opened: "; ...", or "". */
const char *output_open_advice(const char *name, int error);

/* Would the output be written into this file, or rotated over it? */
bool sink_spec_writes_over(const struct sink_spec *spec, const struct stat *file);

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

/*
 * Where to make the line of an event: OUTPUT_LINE_MAX bytes that output_write() need not copy, good
 * until the next call of anything here; else `spare`. NULL: no sink takes such a line.
 */
static inline char *output_place(const struct output *output, enum event_type type, char *spare)
{
	bool wanted = false;

	for_each_sink(output, sink) {
		if (!sink_takes(sink, type))
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

/* The same, of one sink. `event`: what a recording takes instead; NULL: the line. */
void sink_write(struct sink *sink, enum event_type type, const struct recording_item *event,
		const char *line, size_t length);

/*
 * The same, of an event: recordings get its record, which may be NULL where there is none; the line
 * may be left out (length 0) where output_place() says so. Returns output_ready().
 */
static inline bool output_write_event(struct output *output, enum event_type type,
				      const struct recording_item *event, const char *line,
				      size_t length)
{
	bool ready = true;

	for_each_sink(output, sink) {
		if (!sink_takes(sink, type)) {
			/* not for this one */
		} else if (line && sink->buffer && !sink->gone &&
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
 * why, is in its `error`. -EPIPE: standard output's reader has gone; the others have been flushed.
 */
int output_flush(struct output *output, uint64_t now_ns);

/* Wait no more for the sinks that have no room now: they lose lines. */
void output_give_up(struct output *output);

/* Is there an output left, whose reader has not gone? */
bool output_alive(const struct output *output);

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

/* The sinks. Each: -ENOMEM, or why it cannot be opened; *ret_sink is freed with its ops. */
int sink_stdout_open(const struct sink_spec *spec, struct sink **ret_sink);
int sink_file_open(const struct sink_spec *spec, struct sink **ret_sink);
int sink_journald_open(const struct sink_spec *spec, struct sink **ret_sink);

#endif
