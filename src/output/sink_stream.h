/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink_stream.h - a sink on a file descriptor: standard output is one, and a file has one.
 */
#ifndef NETLOG_SINK_STREAM_H
#define NETLOG_SINK_STREAM_H

#include "output/output.h"

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
	bool unreserved; /* the file system does not give room beforehand */
	bool switches;	 /* it may get another file, which its maker wants to know of */
	enum stream_mode mode;
	size_t torn; /* bytes at the buffer's front that end an item of which the front is written */
	off_t torn_end; /* where a file ended with that front */
	size_t size;	/* of the buffer */
};

/*
 * Make a zeroed stream of `fd`, which it closes when it is done if `owned`, for what the maker
 * makes. An error of fstat(2), -ENOMEM; the fd is the caller's then.
 */
int stream_init(struct stream *stream, struct maker *maker, int fd, bool owned);
void stream_done(struct stream *stream);

/* As the sink's operations; stream_flush() writes at most `limit` bytes and says -EAGAIN of the
 * rest. */
size_t stream_room(const struct sink *sink);
int stream_flush(struct stream *stream, size_t limit);
size_t stream_pending(const struct sink *sink);
int stream_fd(const struct sink *sink);

/*
 * Pieces (lines, or what a recording has) lie in the buffer one behind the other. The end of the
 * last one that ends within its first `limit` bytes, 0 if none does; the end of the first one, the
 * buffer's end if that is not there.
 */
size_t stream_last_end(const struct stream *stream, size_t limit);
size_t stream_first_end(const struct stream *stream);

/* Take so many bytes out of the buffer's front: they are written, or given up. */
void stream_drop(struct stream *stream, size_t length);

/*
 * A new file has been begun, at a piece's beginning: it gets in front what its maker needs there. A
 * file that ends within a line, as after a crash, gets a newline, or its readers would glue our
 * first line to it.
 */
void stream_begin(struct stream *stream);

/*
 * Go on in another file, which the stream then closes when it is done. The rest of a torn piece
 * belongs to the old one, and is lost. An error of fstat(2): all is as it was.
 */
int stream_switch(struct stream *stream, int fd);

#endif
