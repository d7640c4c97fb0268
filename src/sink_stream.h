/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink_stream.h - a sink on a file descriptor: standard output is one, and a file has one.
 */
#ifndef NETLOG_SINK_STREAM_H
#define NETLOG_SINK_STREAM_H

#include "output.h"

#define STREAM_BUFFER_BYTES (256 * 1024)

enum stream_mode {
	STREAM_PLAIN,  /* regular files, and devices that do not block */
	STREAM_PIPE,   /* a pipe or terminal, by a description of our own that does not block */
	STREAM_POLLED, /* the same, but shared with others, so that it may block */
	STREAM_SOCKET,
};

struct stream {
	struct sink sink;
	int fd;
	bool owned; /* close it when freed */
	bool pollable;
	bool regular;
	bool torn; /* the first byte in the buffer is not the first of its line */
	enum stream_mode mode;
	size_t end; /* of what is still to be written */
	char buffer[STREAM_BUFFER_BYTES];
};

/*
 * Make a zeroed stream of `fd`, which it closes when it is done if `owned`. An error of fstat(2);
 * the fd is the caller's then.
 */
int stream_init(struct stream *stream, int fd, bool owned);
void stream_done(struct stream *stream);

/* As the sink's operations; stream_flush() writes at most `limit` bytes and says -EAGAIN of the
 * rest. */
size_t stream_room(const struct sink *sink);
void stream_write(struct sink *sink, const char *line, size_t length);
char *stream_place(struct sink *sink);
int stream_flush(struct stream *stream, size_t limit);
/* Take so many bytes out of the buffer's front: they are written, or given up. */
void stream_drop(struct stream *stream, size_t length);
size_t stream_pending(const struct sink *sink);
int stream_fd(const struct sink *sink);

#endif
