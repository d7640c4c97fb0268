/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sink_stream.h - a sink on a file descriptor: standard output is one, and a file has one. It takes
 * lines, or makes a recording (recording.h).
 */
#ifndef NETLOG_SINK_STREAM_H
#define NETLOG_SINK_STREAM_H

#include "host/names.h"
#include "output/output.h"
#include "output/recording.h"

#define STREAM_BUFFER_BYTES (256 * 1024)

/*
 * A recording's buffer also holds names: at the most those of each event that fits. Memory that is
 * not used costs nothing.
 */
#define STREAM_NAMES_BYTES                                                  \
	(STREAM_BUFFER_BYTES / RECORDING_ITEM_BYTES(sizeof(struct event)) * \
	 (NAMED_NUMBERS_MAX * RECORDING_ITEM_BYTES(RECORDING_NAME_MAX)))
#define STREAM_ITEM_MAX (2 * OUTPUT_LINE_MAX) /* no item is longer, nor are headers */

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
	bool recording;
	enum stream_mode mode;
	size_t torn; /* bytes at the buffer's front that end an item of which the front is written */
	/* of a recording */
	struct recording_origin origin;
	bool origin_known;    /* before that there is nothing to be written */
	uint32_t crc;	      /* of the last item */
	struct names *told;   /* what a reader knows who has read all that was put in */
	struct names *before; /* the same, up to the buffer's front */
	char buffer[STREAM_BUFFER_BYTES + STREAM_NAMES_BYTES + STREAM_ITEM_MAX]
		__attribute__((aligned(RECORDING_ALIGNMENT)));
};

/*
 * Make a zeroed stream (but for `recording`) of `fd`, which it closes when it is done if `owned`.
 * An error of fstat(2), -ENOMEM; the fd is the caller's then.
 */
int stream_init(struct stream *stream, int fd, bool owned);
void stream_done(struct stream *stream);

/* As the sink's operations; stream_flush() writes at most `limit` bytes and says -EAGAIN of the
 * rest. */
size_t stream_room(const struct sink *sink);
int stream_flush(struct stream *stream, size_t limit);
size_t stream_pending(const struct sink *sink);
int stream_fd(const struct sink *sink);
/* The same, of those that are recordings: sink_recording.c. */
void stream_record_line(struct sink *sink, const char *line, size_t length);
void stream_record_event(struct sink *sink, const struct recording_item *event);
void stream_record_origin(struct sink *sink, const struct recording_origin *origin);

/*
 * Items (lines, or what a recording has) lie in the buffer one behind the other. The end of the
 * last one that ends within its first `limit` bytes, 0 if none does; the end of the first one, the
 * buffer's end if that is not there.
 */
size_t stream_last_end(const struct stream *stream, size_t limit);
size_t stream_first_end(const struct stream *stream);

/* Take so many bytes out of the buffer's front: they are written, or given up. */
void stream_drop(struct stream *stream, size_t length);

/*
 * A new file has been begun, at an item's beginning: a recording needs a header in front, and the
 * names that its events use.
 */
void stream_begin(struct stream *stream);

/* So many bytes of a recording in a file are about to be taken out of the buffer's front. */
void stream_record_drop(struct stream *stream, size_t length);

#endif
