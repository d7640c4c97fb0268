/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink_stream.h - a sink that writes to a file descriptor: standard output, or a file.
 */
#ifndef NETLOG_SINK_STREAM_H
#define NETLOG_SINK_STREAM_H

#include "output/output.h"

enum stream_mode {
	STREAM_PLAIN,  /* regular files, and devices that do not block */
	STREAM_PIPE,   /* a pipe or terminal, by a non-blocking description of our own */
	STREAM_POLLED, /* a pipe or terminal whose description is shared, so writing may block */
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
	bool torn_lost; /* of those bytes only a newline is left, and the line is counted as lost */
	size_t size;	/* of the buffer */
};

/*
 * Initialise a zeroed stream that writes to `fd` what the maker makes, and closes it in the end if
 * `owned`. An error of fstat(2), or -ENOMEM; then the caller keeps the fd.
 */
int stream_init(struct stream *stream, struct maker *maker, int fd, bool owned);
void stream_done(struct stream *stream);

/*
 * For the sink's operations. stream_flush() writes at most `limit` bytes, and returns -EAGAIN if
 * more are left.
 */
size_t stream_room(const struct sink *sink);
int stream_flush(struct stream *stream, size_t limit);
size_t stream_pending(const struct sink *sink);
int stream_fd(const struct sink *sink);
int stream_status(const struct sink *sink, struct stat *ret_status);

/*
 * Pieces (lines, or a recording's headers and frames) are in the buffer one after the other.
 * stream_last_end() is the end of the last one that ends within the first `limit` bytes, 0 if none
 * does; stream_first_end() that of the first one, or the end of the contents if it is not whole.
 */
size_t stream_last_end(const struct stream *stream, size_t limit);
size_t stream_first_end(const struct stream *stream);

/* Remove so many bytes from the front: they were written or given up. */
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
