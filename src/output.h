/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * output.h - where lines go: sinks, and the fan-out to all of them.
 *
 * A sink takes whole lines into a bounded buffer and writes them when it is flushed. It never
 * blocks: what the other end does not take stays in the buffer, and while one is full the output is
 * not ready. Then the caller leaves the events in the ring, where the kernel counts what does not
 * fit: a slow reader costs counted events, never memory.
 */
#ifndef NETLOG_OUTPUT_H
#define NETLOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "util.h"

struct sink;

/* What a kind of sink can do; see the functions of the same names below. */
struct sink_ops {
	bool (*ready)(const struct sink *sink);
	void (*write)(struct sink *sink, const char *line, size_t length);
	int (*flush)(struct sink *sink);
	int (*fd)(const struct sink *sink);
	void (*free)(struct sink *sink);
};

/* The head of every sink. */
struct sink {
	const struct sink_ops *ops;
	char *name; /* as the user wrote it, for messages */
};

struct output;

/* An output without sinks, for lines of at most `line_max` bytes. -ENOMEM. The caller frees it. */
int output_new(size_t line_max, struct output **ret_output);
void output_free(struct output *output);
DEFINE_CLEANUP(struct output, output_free)

/*
 * Open the sink that `spec` names, `stdout` or `file:PATH`, and add it. -EINVAL when it names none,
 * -ENOMEM, or why the file cannot be opened.
 */
int output_add(struct output *output, const char *spec);

/* May `spec` be given to output_add()? Opens nothing. */
bool output_spec_valid(const char *spec);

/* Is there room for a line in every sink? */
bool output_ready(const struct output *output);

/* Hand one line, newline included, to every sink; only while output_ready(). */
void output_write(struct output *output, const char *line, size_t length);

/*
 * Write what the sinks hold. 0 when all is out; -EAGAIN when a reader is slow: try again when the
 * file descriptor of output_blocked_fd() can be written. Any other error ends the sink's use, and
 * *ret_name (not owned by the caller) says whose: -EPIPE when the reader has gone, -ENOSPC, ...
 */
int output_flush(struct output *output, const char **ret_name);

/* The descriptor to be watched of sink number `i`; -ENOENT past the last, -EPERM: not pollable. */
int output_fd(const struct output *output, unsigned int i);

/* The sinks. Each: -ENOMEM, or why it cannot be opened; *ret_sink is freed with its ops. */
int sink_stdout_open(size_t line_max, struct sink **ret_sink);
int sink_file_open(const char *path, size_t line_max, struct sink **ret_sink);

#endif
