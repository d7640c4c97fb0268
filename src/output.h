/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - where lines go: sinks, and the fan-out to all of them.
 *
 * A sink takes whole lines into a bounded buffer and writes them when it is flushed. It never
 * blocks: what the other end does not take stays in the buffer. While the buffer is full the output
 * is not ready, and the caller leaves the events in the ring, where the kernel counts what does not
 * fit: a slow reader costs counted events, never memory. But a sink that fails, or that is slow for
 * long while others are not, is not waited for: it loses lines, and counts them.
 */
#ifndef NETLOG_OUTPUT_H
#define NETLOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "event.h"
#include "util.h"

#define OUTPUT_SINKS_MAX 8
#define SINK_NAME_MAX 4096
#define OUTPUT_PATIENCE_NS (NSEC_PER_SEC / 10) /* with a slow sink, while others take lines */

struct sink;

/* What a kind of sink can do. */
struct sink_ops {
	/* Is there room for a line? */
	bool (*ready)(const struct sink *sink);
	/* Take one line; only while ready. */
	void (*write)(struct sink *sink, const char *line, size_t length);
	/* Write what it holds: 0 when all is out, -EAGAIN when the other end is slow, or an error. */
	int (*flush)(struct sink *sink);
	/* Open anew what may have been renamed; the old one stays on an error. NULL: nothing to do.
	 */
	int (*reopen)(struct sink *sink);
	/* Lines in its buffer. */
	size_t (*pending)(const struct sink *sink);
	/* To be watched for being writable, and for the reader's going; -EPERM: cannot be. */
	int (*fd)(const struct sink *sink);
	void (*free)(struct sink *sink);
};

/* The head of every sink. */
struct sink {
	const struct sink_ops *ops;
	char *name;		/* as the user wrote it, without its parameters */
	uint64_t events;	/* event types it takes, as bits; control lines it always takes */
	struct figures taken;	/* lines that were handed to it */
	struct figures lost;	/* lines for which it had no room */
	int error;		/* of the last flush: 0, -EAGAIN, or what failed */
	uint64_t written_bytes; /* so far; the sink counts */
	uint64_t judged_bytes;	/* of these, at the last flush */
	uint64_t slow_since_ns; /* when it last took something, or began not to */
	bool given_up;		/* nobody waits for it */
};

struct output;

/* An output without sinks, for lines of at most `line_max` bytes. -ENOMEM. The caller frees it. */
int output_new(size_t line_max, struct output **ret_output);
void output_free(struct output *output);
DEFINE_CLEANUP(struct output, output_free)

/*
 * What a sink is to be: stdout or file:PATH, with parameters after commas: events=A,B, and for a
 * file max-size=BYTES and max-files=N. A comma is thus no part of a path.
 */
struct sink_spec {
	char name[SINK_NAME_MAX]; /* without the parameters */
	uint64_t events;
	uint64_t max_bytes;	/* 0: never rotated */
	unsigned int max_files; /* rotated ones that are kept */
};

/*
 * Read a specification; opens nothing. -EINVAL, and *ret_message (the caller frees it; NULL if
 * memory is short) says what is wrong.
 */
int sink_spec_parse(const char *text, struct sink_spec *ret_spec, char **ret_message);

/* Open the sink and add it. -ENOSPC: too many; -ENOMEM; or why it cannot be opened. */
int output_add(struct output *output, const struct sink_spec *spec);

/* Should the caller go on? Not while there is a sink without room that is worth waiting for. */
bool output_ready(const struct output *output);

/*
 * Hand one line, newline included, to every sink that takes the type (event_none: a control line);
 * a sink without room loses it.
 */
void output_write(struct output *output, enum event_type type, const char *line, size_t length);

/*
 * Write what the sinks hold. 0 when all is out, -EAGAIN when something is left: of which sink, and
 * why, is in its `error`. -EPIPE: standard output's reader has gone.
 */
int output_flush(struct output *output, uint64_t now_ns);

/* Wait for no sink any more: those without room lose lines from now on. */
void output_give_up(struct output *output);

/* Is there a sink that can be opened anew? */
bool output_reopens(const struct output *output);

/*
 * Open files anew that may have been renamed. The error of the last sink that could not be, or 0;
 * such a one goes on with the file it has.
 */
int output_reopen(struct output *output);

/* Sink number `i`, NULL past the last. */
const struct sink *output_sink(const struct output *output, unsigned int i);

/* The sinks. Each: -ENOMEM, or why it cannot be opened; *ret_sink is freed with its ops. */
int sink_stdout_open(const struct sink_spec *spec, size_t line_max, struct sink **ret_sink);
int sink_file_open(const struct sink_spec *spec, size_t line_max, struct sink **ret_sink);

#endif
